"""A source's digest is its bytes, and what can't be known is never taken for unchanged."""

import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

import components
from components.artifacts import storage
from components.artifacts.builtin import python_docs
from components.artifacts.version import VERSION
from pipelines.inputs.digests import digest_of, digest_of_source, suite_version

Serve = Callable[[dict[str, str]], str]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Starts a server on this machine that answers with the given headers; what it returns is its URL."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    servers = []

    def start(headers: dict[str, str]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self.send_response_only(200 if self.path == "/text" else 404)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/text"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def remote(uri: str) -> str:
    return digest_of(uri, allow_private_hosts=True)


def local(uri: object) -> str:
    return digest_of(str(uri), allow_private_hosts=False)


def test_a_file_is_named_by_its_bytes(tmp_path: Path) -> None:
    one, two = tmp_path / "one.txt", tmp_path / "two é.txt"
    one.write_bytes(b"to be")
    two.write_bytes(b"to be")
    before = local(one)
    assert before == hashlib.sha256(b"to be").hexdigest()
    assert local(two) == local(two.as_uri()) == before
    one.write_bytes(b"to bE")
    assert local(one) != before
    one.write_bytes(b"to be")
    assert local(one) == before


@pytest.mark.parametrize("place", ["nowhere.txt", "", "nowhere/at.txt"], ids=["no file", "a directory", "no directory"])
def test_what_is_no_file_has_no_name(tmp_path: Path, place: str) -> None:
    assert local(tmp_path / place) == ""


def test_no_source_has_no_name() -> None:
    assert local("") == ""


def test_the_embedded_text_is_named_by_its_bytes() -> None:
    name = digest_of_source("builtin:python-docs", allow_private_hosts=False)
    assert name == hashlib.sha256(python_docs().encode()).hexdigest()


@pytest.mark.parametrize("header", ["ETag", "Last-Modified"])
def test_a_page_is_named_by_what_the_server_says_of_its_version(serve: Serve, header: str) -> None:
    headers = {header: '"1"'}
    uri = serve(headers)
    before = remote(uri)
    assert re.fullmatch("[0-9a-f]{64}", before)
    assert remote(uri) == before
    headers[header] = '"2"'
    assert remote(uri) != before


def test_another_address_is_another_name(serve: Serve) -> None:
    assert remote(serve({"ETag": '"1"'})) != remote(serve({"ETag": '"1"'}))


MADE_AGAIN = {"Last-Modified": "Wed, 25 Nov 2026 03:00:00 GMT", "Date": "Wed, 25 Nov 2026 03:00:01 GMT"}


@pytest.mark.parametrize(
    "headers", [{}, {"Content-Length": "5"}, MADE_AGAIN], ids=["nothing", "the length alone", "made again each time"]
)
def test_a_page_of_unknown_version_is_never_taken_for_unchanged(serve: Serve, headers: dict[str, str]) -> None:
    uri = serve(headers)
    names = {remote(uri) for _ in range(3)}
    assert len(names) == 3
    assert not any(map(storage.is_comparable, names))


def test_what_cannot_be_asked_is_never_taken_for_unchanged(serve: Serve) -> None:
    uri = serve({"ETag": '"1"'})
    assert remote(uri + "/gone") != remote(uri + "/gone")
    private = {digest_of(uri, allow_private_hosts=False) for _ in range(2)}
    assert len(private) == 2
    assert remote(uri) not in private


def test_the_suites_version_names_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert re.fullmatch(re.escape(VERSION) + r"\+[0-9a-f]{12}", suite_version())
    assert suite_version() == suite_version.__wrapped__()
    monkeypatch.setattr(components, "__path__", [str(tmp_path)])
    (tmp_path / "stage.py").write_text("one = 1\n")
    before = suite_version.__wrapped__()
    (tmp_path / "stage.py").write_text("one = 2\n")
    changed = suite_version.__wrapped__()
    (tmp_path / "stage.py").rename(tmp_path / "other.py")
    assert len({before, changed, suite_version.__wrapped__()}) == 3
