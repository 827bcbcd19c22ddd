"""A server on loopback, and a name that seems to lead to a public address."""

import http.server
import socket
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.loopback import up
from tests.unit.artifacts.web import Handler, Server


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[Server]:
    known: list[Server] = []
    with up(http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, known))) as running:
        known.append(Server(running.server_port))
        running.handle_error = lambda *_: None  # type: ignore[method-assign] # a client that goes away is no news
        yield known[0]


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class _FromAfar(socket.socket):
    """A connection that takes its peer for one on the public internet."""

    def getpeername(self) -> tuple[str, int]:
        return ("93.184.216.34", 80)


@pytest.fixture
def public_name(monkeypatch: pytest.MonkeyPatch) -> str:
    """A host name that leads to the loopback, though the connection seems to be to a public address."""
    connect = socket.create_connection

    def create_connection(address: tuple[str, int], *rest: Any) -> socket.socket:
        if address[0] != "public.example":
            return connect(address, *rest)
        near = connect(("127.0.0.1", address[1]), *rest)
        timeout = near.gettimeout()
        far = _FromAfar(near.family, near.type, near.proto, near.detach())
        far.settimeout(timeout)
        return far

    monkeypatch.setattr(socket, "create_connection", create_connection)
    return "public.example"
