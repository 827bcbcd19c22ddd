"""A proxy before an object store on loopback, with faults that tests choose; google.py and amazon.py are the stores.

The emulator of Google's store heeds no precondition and moto, which is Amazon's, judges one without a lock. So the
proxy lets one request through at a time, and Google's judges the preconditions itself. Between the proxy and the store
is no network: a connection and a thread for each request took a third of the time of the tests that use stores.
"""

import contextlib
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from tests.storage.faults import Faults

STALL_SECONDS = 20.0
HOP_HEADERS = {"connection", "keep-alive", "transfer-encoding", "content-length", "expect"}
STATUSES = {str(status): status for status in (400, 401, 403, 404, 405, 408, 409, 429, *range(500, 505))}


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")


Store = Callable[[str, str, dict[str, str], bytes], Answer]  # of a request's method, path, headers and body


class Proxy(ThreadingHTTPServer):
    """Passes requests on to `store`, one at a time, and faults in between."""

    daemon_threads = True

    def __init__(self, store: Store, environment: dict[str, str], host: str) -> None:
        super().__init__((host, 0), _Handler)
        self.faults = Faults()
        self.url = f"http://{host}:{self.server_address[1]}"
        self.environment = {name: value.format(url=self.url) for name, value in environment.items()}
        self._store = store
        self.lock = threading.RLock()

    @contextlib.contextmanager
    def running(self) -> Iterator["Proxy"]:
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.faults.clear()
            self.shutdown()
            self.server_close()
            thread.join(10)

    def pass_on(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        return self._store(method, path, headers, body)

    def described(self, method: str, path: str, headers: Any, body: bytes) -> str:  # noqa: ARG002
        """A request as rules for faults see it; empty for what no rule is to see."""
        return f"{method} {unquote(path)}"

    def refused(self, status: int, message: str) -> Answer:
        """The store's own answer for a status."""
        raise NotImplementedError

    def make_bucket(self, name: str) -> None:
        """Make a fresh bucket, over the wire."""
        raise NotImplementedError

    def expect_made(self, method: str, path: str, body: bytes = b"", **headers: str) -> None:
        """Make a bucket by this request."""
        headers = {"Host": urlsplit(self.url).netloc, "Content-Length": str(len(body)), **headers}
        answer = self.pass_on(method, path, headers, body)
        assert answer.status == 200, answer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients of these tests hang up."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        proxy = cast("Proxy", self.server)
        released = proxy.faults.released
        try:
            body = self._body()
        except EOFError:
            self._break_off()
            return
        request = proxy.described(self.command, self.path, self.headers, body)
        fault = proxy.faults.take(request) if request else ""
        if fault in STATUSES:
            self._answer(proxy.refused(STATUSES[fault], f"fault {fault}\nof the test"))
        elif fault == "reset":
            self._break_off()
        elif fault == "stall":
            released.wait(STALL_SECONDS)
            self._break_off()
        else:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_HEADERS}
            body = _flipped(body) if fault == "damage" else body
            with proxy.lock:
                answer = proxy.pass_on(self.command, self.path, headers, body)
            if fault == "lost":
                self._break_off()
            else:
                self._answer(answer, fault)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = _serve  # noqa: N815 -- the base class's names

    def _body(self) -> bytes:
        """The whole body; a store keeps nothing of an upload whose client died during it."""
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            chunks = []
            while size := int(self._whole(self.rfile.readline()).split(b";")[0], 16):
                chunks.append(self._whole(self.rfile.read(size), size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)
        length = int(self.headers.get("Content-Length") or 0)
        return self._whole(self.rfile.read(length), length)

    @staticmethod
    def _whole(received: bytes, size: int = 1) -> bytes:
        if len(received) < size:
            raise EOFError
        return received

    def _answer(self, answer: Answer, fault: str = "") -> None:
        body, length = answer.body, str(len(answer.body))
        if fault == "flip":
            body = _flipped(body)
        elif fault in {"cut", "short"}:
            body = body[: len(body) // 2]
            length = str(len(body)) if fault == "short" else length
        if self.command == "HEAD":
            body, length = b"", answer.header("content-length") or "0"
        self.send_response(answer.status)
        for name, value in answer.headers:
            if name.lower() not in HOP_HEADERS | {"date", "server"}:
                self.send_header(name, value)
        self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
        if fault == "cut":
            self.close_connection = True

    def _break_off(self) -> None:
        """End the connection by a reset."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class's name
        """Keep quiet."""


def _flipped(body: bytes) -> bytes:
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]
