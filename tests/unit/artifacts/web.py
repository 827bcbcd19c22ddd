"""A server on loopback whose answers tests choose, and fetching from it."""

import http.server
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.errors import SourceError
from components.artifacts.http import fetch

Answer = tuple[int, Mapping[str, str], bytes]


@dataclass
class Server:
    """A server on the loopback, what it answers by path, and what it was asked: (path, headers)."""

    port: int
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def uri(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def redirect(self, path: str, location: str) -> str:
        self.answers[path] = (302, {"Location": location}, b"")
        return self.uri(path)


class Handler(http.server.BaseHTTPRequestHandler):
    def __init__(self, known: list[Server], *arguments: Any) -> None:
        self._known = known[0]
        super().__init__(*arguments)

    def do_GET(self) -> None:
        self._known.asked.append((self.path, dict(self.headers)))
        status, headers, body = self._known.answers.get(self.path, (404, {}, b"nothing here"))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 -- as the base class calls it

    def log_message(self, *_: Any) -> None:
        pass


def get(uri: str, target: Path, *, private: bool = True, maximum_bytes: int = 1 << 20) -> bytes:
    fetch(uri, target / "got", name="the text", allow_private_hosts=private, maximum_bytes=maximum_bytes)
    return (target / "got").read_bytes()


def failure(uri: str, target: Path, **values: Any) -> str:
    with pytest.raises(SourceError) as raised:
        get(uri, target, **values)
    message = str(raised.value)
    assert "\n" not in message
    return message
