"""Downloads over HTTP: no private address is asked, and size, time and redirects have limits."""

import base64
import errno
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from components.artifacts import storage
from components.artifacts.errors import SourceError
from components.artifacts.http import version
from tests.unit.artifacts.web import Server, failure, get


def test_a_file_is_fetched_whole(server: Server, tmp_path: Path) -> None:
    body = bytes(range(256)) * 10_000
    server.answers["/a%20b?c=d%20e"] = (200, {"Content-Length": str(len(body))}, body)
    assert get(server.uri("/a b?c=d e#f"), tmp_path, maximum_bytes=len(body)) == body


def test_a_file_of_unknown_length_is_fetched(server: Server, tmp_path: Path) -> None:
    server.answers["/text"] = (200, {}, b"one two")
    assert get(server.uri("/text"), tmp_path) == b"one two"


def test_a_redirect_is_followed(server: Server, tmp_path: Path) -> None:
    server.answers["/new"] = (200, {}, b"moved")
    assert get(server.redirect("/old", "/new"), tmp_path) == b"moved"


def test_a_private_host_is_refused_unless_allowed_and_not_asked(server: Server, tmp_path: Path) -> None:
    assert failure(server.uri("/text"), tmp_path, private=False) == (
        "127.0.0.1 is at the private address 127.0.0.1; to allow this, set ingest.allow_private_hosts"
    )
    assert server.asked == []


def test_a_name_is_judged_by_the_address_it_leads_to(server: Server, tmp_path: Path) -> None:
    message = failure(server.uri("/text", host="localhost"), tmp_path, private=False)
    assert message.startswith("localhost is at the private address 127.0.0.1;")
    assert server.asked == []


def test_over_https_too_a_private_host_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        uri = f"https://127.0.0.1:{listening.getsockname()[1]}/text"
        assert "private address 127.0.0.1" in failure(uri, tmp_path, private=False)
        connection, _ = listening.accept()
        with connection:
            assert connection.recv(1) == b""


@pytest.mark.parametrize(("scheme", "port", "start"), [("http", 80, b"GET "), ("https", 443, b"\x16\x03")])
def test_https_goes_to_its_own_port_and_is_encrypted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str, port: int, start: bytes
) -> None:
    connect, connected, received = socket.create_connection, [], []

    def create_connection(address: tuple[str, int], *rest: Any) -> socket.socket:
        connected.append(address)
        return connect(listening.getsockname(), *rest)

    def receive() -> None:
        connection, _ = listening.accept()
        with connection:
            received.append(connection.recv(len(start), socket.MSG_WAITALL))

    monkeypatch.setattr(socket, "create_connection", create_connection)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=receive)
        thread.start()
        failure(f"{scheme}://public.example/text", tmp_path)
        thread.join()
    assert (connected, received) == ([("public.example", port)], [start])


def test_a_public_address_is_fetched_from(server: Server, tmp_path: Path, public_name: str) -> None:
    server.answers["/text"] = (200, {}, b"public")
    assert get(server.uri("/text", host=public_name), tmp_path, private=False) == b"public"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_redirect_from_a_public_to_a_private_address_is_refused(
    server: Server, tmp_path: Path, public_name: str, host: str
) -> None:
    server.answers["/secret"] = (200, {}, b"secret")
    server.redirect("/text", server.uri("/secret", host=host))
    uri = server.uri("/text", host=public_name)
    assert "private address 127.0.0.1" in failure(uri, tmp_path, private=False)
    assert [path for path, _ in server.asked] == ["/text"]
    assert get(uri, tmp_path, private=True) == b"secret"


def test_no_proxy_hides_the_address_unless_private_hosts_are_allowed(
    server: Server, tmp_path: Path, public_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.uri("", host=public_name))
    server.answers["http://10.1.2.3/text"] = (200, {}, b"through the proxy")
    assert get("http://10.1.2.3/text", tmp_path) == b"through the proxy"
    server.asked.clear()
    failure(server.uri("/text"), tmp_path, private=False)
    assert server.asked == []


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (404, "404 Not Found"),
        (503, "503 Service Unavailable"),
        (799, "799"),
        (300, "300 Multiple Choices; that redirect can't be followed"),
    ],
)
def test_an_answer_that_is_no_file_is_one_line_with_its_code(
    server: Server, tmp_path: Path, status: int, said: str
) -> None:
    server.answers["/text"] = (status, {}, b"<html>sorry</html>")
    assert failure(server.uri("/text"), tmp_path) == f"the text: the server answered {said}"


def test_a_server_that_does_not_listen_is_an_error(closed_port: int, tmp_path: Path) -> None:
    message = failure(f"http://127.0.0.1:{closed_port}/text", tmp_path)
    assert message == f"the text: can't be reached ([Errno {errno.ECONNREFUSED}] Connection refused)"


def test_user_information_is_sent_as_a_header_and_not_past_a_redirect(server: Server, tmp_path: Path) -> None:
    server.answers["/new"] = (200, {}, b"text")
    server.redirect("/old", "/new")
    assert get(server.uri("/old", host="amy:pass%2Fword@127.0.0.1"), tmp_path) == b"text"
    (_, first), (_, second) = server.asked
    assert first["Authorization"] == "Basic " + base64.b64encode(b"amy:pass/word").decode()
    assert first["Host"] == f"127.0.0.1:{server.port}"
    assert "Authorization" not in second


@pytest.mark.parametrize(
    "place",
    [
        "{host}/missing",
        "{host}/large",
        "{host}/broken",
        "{host}/to-file",
        "{host}/to-itself",
        "{host}/to-login",
        "{host}/a b",
        "{host}/é",
        "{host}0123/",
        "a..b/",
        "127.0.0.1:port/",
        "/",
    ],
)
@pytest.mark.parametrize("private", [True, False])
def test_no_error_shows_what_is_secret_in_the_uri(server: Server, tmp_path: Path, place: str, private: bool) -> None:
    query = "?token=s3cret"
    server.answers[f"/large{query}"] = (200, {}, b"x" * 101)
    server.answers[f"/broken{query}"] = (200, {"Content-Length": "100"}, b"x")
    server.redirect(f"/to-file{query}", f"file:///text{query}")
    server.redirect(f"/to-itself{query}", f"/to-itself{query}")
    server.redirect(f"/to-login{query}", f"http://amy:hunter2@localhost{query}")
    uri = f"http://amy:hunter2@{place.format(host=f'127.0.0.1:{server.port}')}{query}#s3cret"
    with (
        pytest.raises(SourceError) as raised,
        storage.source_file(uri, tmp_path, allow_private_hosts=private, maximum_bytes=100),
    ):
        pass
    assert not any(secret in str(raised.value) for secret in ("hunter2", "s3cret", "amy"))
    assert "\n" not in str(raised.value)


def test_the_version_is_the_same_while_the_server_says_so(server: Server) -> None:
    uri = server.uri("/text")
    server.answers["/text"] = (200, {"ETag": '"one"'}, b"")
    one = version(uri, allow_private_hosts=True)
    assert one == version(uri, allow_private_hosts=True) != ""
    server.answers["/text"] = (200, {"ETag": '"two"'}, b"")
    assert version(uri, allow_private_hosts=True) not in {one, ""}


def test_the_version_changes_with_the_date_and_the_length(server: Server) -> None:
    said = set()
    for date, length in (("Mon", "5"), ("Tue", "5"), ("Tue", "6")):
        server.answers["/text"] = (200, {"Last-Modified": date, "Content-Length": length}, b"")
        said.add(version(server.uri("/text"), allow_private_hosts=True))
    assert len(said) == 3


def test_the_version_is_of_the_place_too(server: Server) -> None:
    server.answers["/one"] = server.answers["/two"] = (200, {"ETag": '"same"'}, b"")
    assert version(server.uri("/one"), allow_private_hosts=True) != version(
        server.uri("/two"), allow_private_hosts=True
    )


def test_the_version_is_empty_where_nothing_is_said_or_nobody_may_be_asked(server: Server, closed_port: int) -> None:
    server.answers["/silent"] = (200, {"Content-Length": "5"}, b"")
    server.answers["/text"] = (200, {"ETag": '"one"'}, b"")
    assert version(server.uri("/silent"), allow_private_hosts=True) == ""
    assert version(server.uri("/missing"), allow_private_hosts=True) == ""
    assert version(server.uri("/text"), allow_private_hosts=False) == ""
    assert version(f"http://127.0.0.1:{closed_port}/", allow_private_hosts=True) == ""
    assert version("http://127.0.0.1:port/", allow_private_hosts=True) == ""
