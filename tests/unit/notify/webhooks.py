"""A webhook on loopback that keeps what it is sent."""

import contextlib
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.loopback import up


class Webhook(ThreadingHTTPServer):
    """Keeps each request: its method, path and JSON; answers with `statuses` in turn, then 200."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[tuple[str, str, Any]] = []
        self.statuses: list[int] = []

    def url(self, path: str = "/hook/s3cret") -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"

    @property
    def messages(self) -> list[Any]:
        """What was posted."""
        return [body for method, _, body in self.seen if method == "POST"]


class _Handler(BaseHTTPRequestHandler):
    server: Webhook

    def _serve(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append((self.command, self.path, json.loads(data) if data else None))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    do_GET = do_POST = _serve  # noqa: N815 -- the base class's names

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextlib.contextmanager
def listening() -> Iterator[Webhook]:
    """A webhook, up while the block lasts."""
    with up(Webhook()) as server:
        yield server
