"""A download has limits: of size, of time, of redirects, of what comes before the text."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import chain, repeat
from pathlib import Path

import pytest

from components.artifacts import http as fetching
from components.artifacts.http import version
from tests.unit.artifacts.web import Server, failure, get


@contextmanager
def answering(*pieces: bytes, pause: float = 0.0, again: bool = False) -> Iterator[str]:
    """The URI of a server that sends these pieces, with a pause before each; `again`, the last one for ever."""

    def answer() -> None:
        connection, _ = listening.accept()
        with connection, suppress(OSError):
            connection.recv(1 << 16)
            for piece in chain(pieces, repeat(pieces[-1]) if again else ()):
                if ended.wait(pause):
                    return
                connection.sendall(piece)

    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/text"
        ended.set()
        thread.join()


HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


@pytest.mark.parametrize("headers", [{}, {"Content-Length": "11"}])
def test_a_body_larger_than_the_maximum_is_refused(server: Server, tmp_path: Path, headers: Mapping[str, str]) -> None:
    server.answers["/text"] = (200, headers, b"hello world")
    assert failure(server.uri("/text"), tmp_path, maximum_bytes=10) == (
        "the text: larger than ingest.maximum_bytes (10); raise it if this is intended"
    )
    assert get(server.uri("/text"), tmp_path, maximum_bytes=11) == b"hello world"


def test_a_download_that_breaks_off_is_an_error(server: Server, tmp_path: Path) -> None:
    server.answers["/text"] = (200, {"Content-Length": "2000"}, b"x" * 1500)
    assert failure(server.uri("/text"), tmp_path) == (
        "the text: the download broke off after 1,500 of 2,000 bytes; try again"
    )


def test_a_chunked_download_that_breaks_off_is_an_error(server: Server, tmp_path: Path) -> None:
    server.answers["/text"] = (200, {"Transfer-Encoding": "chunked"}, b"5\r\nhello\r\n5\r\nwo")
    assert failure(server.uri("/text"), tmp_path).startswith("the text: the download broke off (IncompleteRead(")


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("ftp://127.0.0.1/text", "can't be reached (unknown url type: ftp)"),
        ("file:///etc/hostname", "the server answered 302 Found; that redirect can't be followed"),
        ("/text", "the server answered 302 Found; that redirect can't be followed"),
    ],
)
def test_a_redirect_to_another_scheme_or_itself_is_refused(
    server: Server, tmp_path: Path, location: str, reason: str
) -> None:
    assert failure(server.redirect("/text", location), tmp_path) == f"the text: {reason}"


def test_a_server_that_stalls_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "TIMEOUT_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        message = failure(f"http://127.0.0.1:{silent.getsockname()[1]}/", tmp_path)
    assert message == "the text: the download broke off (timed out); try again"


@pytest.mark.parametrize(
    "pieces",
    [(HEAD, b"x"), (b"H", b"T"), (b"HTTP/1.1 200 OK\r\nX-Y: ", b"y"), (b"HTTP/1.1 100 Continue\r\n\r\n",)],
    ids=["text", "status", "header", "interim"],
)
def test_a_server_that_drips_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pieces: tuple[bytes]) -> None:
    monkeypatch.setattr(fetching, "TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(fetching, "LEAST_BYTES_PER_SECOND", 10_000)
    with answering(*pieces, pause=0.02, again=True) as uri:
        message = failure(uri, tmp_path)
    assert message == "the text: the download broke off (less than 10,000 bytes a second came for 0.2 s); try again"


def test_a_download_has_a_time_for_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "WHOLE_SECONDS", 0.3)
    with answering(HEAD, b"x" * 1000, pause=0.02, again=True) as uri:
        assert failure(uri, tmp_path) == "the text: the download broke off (it takes more than 0.3 s); try again"


@pytest.mark.parametrize("status", [100, 102, 103])
def test_what_comes_before_the_text_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    monkeypatch.setattr(fetching, "MAXIMUM_HEAD_BYTES", 20_000)
    with answering(b"HTTP/1.1 %d Wait\r\nX: y\r\n\r\n" % status, again=True) as uri:
        message = failure(uri, tmp_path)
    assert message == "the text: the download broke off (more than 20,000 bytes came before the text); try again"


def test_interim_answers_are_passed_over(tmp_path: Path) -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </style>\r\nContent-Length: 3\r\n\r\n"
    with answering(b"HTTP/1.1 100 Continue\r\n\r\n", early, early, HEAD + b"some text") as uri:
        assert get(uri, tmp_path) == b"some text"


def test_asking_for_the_version_is_given_up_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "MAXIMUM_HEAD_BYTES", 20_000)
    with answering(b"HTTP/1.1 100 Continue\r\n\r\n", again=True) as uri:
        assert version(uri, allow_private_hosts=True) == ""
