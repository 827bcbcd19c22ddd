"""The Kubeflow Pipelines API of `api.py` on loopback, with faults that tests choose."""

import contextlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import kfp_server_api as kfp

from tests.cluster.api import ROUTES, Api
from tests.cluster.checks import Plain, RefusedError
from tests.cluster.kubernetes import KUBERNETES
from tests.loopback import up
from tests.storage import servers

_MODELS = kfp.ApiClient()
_ALL_ROUTES = [*((method, f"/apis/v2beta1{pattern}", call) for method, pattern, call in ROUTES), *KUBERNETES]


@dataclass
class Faults(servers.Faults):
    """Statuses to answer with, what was asked, and what is to happen right after an answer."""

    _afterwards: list[tuple[str, Callable[[], Any]]] = field(default_factory=list)

    def after(self, when: str, do: Callable[[], Any]) -> None:
        """Call `do` once, after the next request that matches `when` has been decided and before it is answered."""
        self._afterwards.append((when, do))

    @contextlib.contextmanager
    def deciding(self, request: str) -> Iterator[None]:
        """Do what was asked for after such a request, answered well or not."""
        try:
            yield
        finally:
            self._do(request)

    def _do(self, request: str) -> None:
        for entry in [entry for entry in self._afterwards if re.search(entry[0], request)]:
            self._afterwards.remove(entry)
            entry[1]()


class Server(ThreadingHTTPServer):
    """The API at a port of its own; `faults` are statuses to answer with, `seen` in them what was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.api, self.faults, self.lock = Api(), Faults(), threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def changes(self) -> list[str]:
        """What was asked for that changes something."""
        return [request for request in self.faults.seen if not request.startswith("GET ")]


@contextlib.contextmanager
def serving() -> Iterator[Server]:
    """A server, up while the block lasts."""
    with up(Server()) as server:
        yield server


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        fault = self.server.faults.take(f"{self.command} {self.path}")
        if fault == "login":
            self._answer(200, b"<html>Sign in</html>", "text/html")
        elif fault:
            status, _, said = fault.partition(" ")
            self._refuse(int(status), said or "so it was chosen")
        elif self.server.api.token and self.headers.get("authorization") != f"Bearer {self.server.api.token}":
            self._refuse(401, "Request header error: there is no user identity header")
        else:
            self._find(path, {name: values[0] for name, values in query.items()}, body)

    def _find(self, path: str, query: dict[str, str], body: bytes) -> None:
        for method, pattern, call in _ALL_ROUTES:
            match = re.fullmatch(pattern, path)
            if match and method == self.command:
                try:
                    with self.server.lock, self.server.faults.deciding(f"{self.command} {self.path}"):
                        answer = call(self.server.api, query, self._parse(body), *map(unquote, match.groups()))
                        is_text = isinstance(answer, Plain)
                        data = (answer if is_text else json.dumps(_MODELS.sanitize_for_serialization(answer))).encode()
                except RefusedError as error:
                    self._refuse(error.status, str(error))
                else:
                    self._answer(200, data, "text/plain" if is_text else "application/json")
                return
        self._refuse(404, "Not Found")

    def _parse(self, body: bytes) -> Any:
        kind = self.headers.get("Content-Type", "")
        if not kind.startswith("multipart/form-data"):
            return json.loads(body) if body else None
        message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
        return {
            part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
            for part in message.iter_parts()
        }

    def _refuse(self, status: int, message: str) -> None:
        body = json.dumps({"code": 13, "message": message, "error": message, "details": []})
        self._answer(status, body.encode())

    def _answer(self, status: int, data: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815 -- the base class's names

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
