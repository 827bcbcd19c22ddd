"""A secret that is given to a command shows up in nothing that the command says or writes."""

import json
import logging
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from components.artifacts.errors import QuillflowError, UsageError
from components.artifacts.manifest import MANIFEST_NAME
from components.artifacts.storage import StorageError, gcs, place_of, pull, s3_client, write_file
from pipelines.commands.main import main
from tests.storage import servers

CANARY = "kanarienvogel"
LOCATIONS = [
    "http://user:{secret}@127.0.0.1:{port}{path}",
    "http://{secret}@127.0.0.1:{port}{path}",
    "http://127.0.0.1:{port}{path}?X-Amz-Signature={secret}&X-Amz-Expires=60",
    "http://user:{secret}@127.0.0.1:{port}{path}?sig={secret}#{secret}",
]
FAILURES = ["/missing", "/forbidden", "/to-ftp", "/to-nowhere", "/broken", "/binary", "/reset"]
pytestmark = pytest.mark.usefixtures("fresh_clients")


class _Source(BaseHTTPRequestHandler):
    """A text, and ways for it not to come; redirects carry the secret on, as signed URLs do."""

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path == "/reset":
            self.close_connection = True
            return
        status = {"/missing": 404, "/forbidden": 403, "/to-ftp": 302, "/to-nowhere": 302, "/moved": 302}.get(path, 200)
        body = b"\xff\xfe\x00" if path == "/binary" else b"Some text. " * 50
        self.send_response(status, f"because of {query}" if status >= 400 else None)
        goal = {"/to-ftp": "ftp://127.0.0.1/text", "/to-nowhere": "http://127.0.0.1:9/text", "/moved": "/text"}
        if path in goal:
            self.send_header("Location", f"{goal[path]}?{query or CANARY}")
        self.send_header("Content-Length", str(len(body) + (path == "/broken")))
        self.send_header("ETag", '"1"')
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 -- the base class's name

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's name
        """Keep quiet."""


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Source) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join(10)


@pytest.fixture
def everything(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """All that was said since the test began, by any library at its most talkative; and files below a directory."""
    caplog.set_level(logging.DEBUG)
    # What the servers of these tests say is theirs. Botocore's debugging prints the headers it sends, session token and
    # all: nothing in the suite turns it on.
    caplog.set_level(logging.ERROR, "werkzeug")
    caplog.set_level(logging.INFO, "botocore")

    def said(*directories: Path) -> str:
        out, err = capsys.readouterr()
        files = [path for directory in directories for path in directory.rglob("*") if path.is_file()]
        texts = [f"{path}\n{path.read_bytes().decode('utf-8', 'replace')}" for path in files]
        return "\n".join([out, err, caplog.text, *texts])

    return said


def ingest(source: str, corpus: Path, *flags: str) -> int:
    try:
        return main(["ingest", "--source", source, "--corpus", str(corpus), "--verbose", *flags])
    except SystemExit as end:
        return int(end.code or 0)


@pytest.mark.parametrize("uri", LOCATIONS)
@pytest.mark.parametrize("path", ["/text", "/moved"])
def test_ingest_keeps_a_sources_secrets_out_of_corpus_and_logs(
    uri: str, path: str, port: int, tmp_path: Path, everything: Callable[..., str]
) -> None:
    source = uri.format(secret=CANARY, port=port, path=path)
    corpus = tmp_path / "corpus"
    assert ingest(source, corpus, "--allow-private-hosts", "--json") == 0
    said = everything(tmp_path)
    assert json.loads((corpus / MANIFEST_NAME).read_bytes())["kind"] == "corpus"
    assert f"127.0.0.1:{port}{path}" in said, "the source is named nowhere"
    assert CANARY not in said


@pytest.mark.parametrize("uri", LOCATIONS)
@pytest.mark.parametrize("path", FAILURES)
def test_a_source_that_fails_is_named_without_its_secrets(
    uri: str, path: str, port: int, tmp_path: Path, everything: Callable[..., str]
) -> None:
    source = uri.format(secret=CANARY, port=port, path=path)
    assert ingest(source, tmp_path / "corpus", "--allow-private-hosts") == 1
    said = everything(tmp_path)
    assert f"127.0.0.1:{port}{path}" in said
    assert CANARY not in said


def test_a_private_source_is_refused_without_its_secrets(
    port: int, tmp_path: Path, everything: Callable[..., str]
) -> None:
    source = LOCATIONS[-1].format(secret=CANARY, port=port, path="/text")
    assert ingest(source, tmp_path / "corpus") == 1
    said = everything(tmp_path)
    assert "private address" in said
    assert CANARY not in said


@pytest.fixture
def bucket(amazon: servers.Proxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[servers.Faults]:
    """An S3 bucket "secrets" whose key is the canary."""
    for name, value in amazon.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CANARY)
    monkeypatch.setenv("AWS_SESSION_TOKEN", f"token-{CANARY}")
    amazon.make_bucket("secrets")
    amazon.faults.clear()
    yield amazon.faults
    amazon.faults.clear()


def reported(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


@pytest.mark.parametrize("fault", ["400", "403", "404", "409", "503", "reset", "flip"])
def test_a_bucket_that_fails_is_named_without_the_key_to_it(
    bucket: servers.Faults,
    fault: str,
    everything: Callable[..., str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(s3_client, "RETRY_SECONDS", 1.0)
    place = place_of("s3://secrets/artifact")
    source = tmp_path / "source"
    source.write_text("text" * 100)
    place.store.upload(source, (place / "file").key)
    write_file("s3://secrets/artifact/more", b"some bytes")
    bucket.add(fault, times=1000)
    said = []
    for use in (
        lambda: place.store.read((place / "file").key),
        lambda: place.store.write((place / "other").key, b"x", expected=""),
        lambda: place.store.upload(source, (place / "other").key),
        lambda: place.store.download((place / "file").key, tmp_path / "copy"),
        lambda: pull(place, tmp_path / "artifact"),
    ):
        try:
            use()
        except (QuillflowError, FileNotFoundError) as error:
            said.append(reported(error))
    assert any("s3://secrets/artifact" in error for error in said)
    assert CANARY not in "\n".join(said)
    assert CANARY not in everything(tmp_path)


def test_an_endpoint_with_a_password_is_refused_without_showing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for address in (f"http://user:{CANARY}@127.0.0.1:9000", f"{CANARY}@127.0.0.1", f"http://user:{CANARY}@[::1"):
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        with pytest.raises(UsageError, match="AWS_ENDPOINT_URL: ") as failure:
            place_of("s3://bucket/file")
        assert CANARY not in reported(failure.value)


@pytest.mark.parametrize("scheme", ["gs", "s3", "minio"])
@pytest.mark.parametrize("uri", ["user:{}@bucket/file", "bucket/file?X-Amz-Signature={}", "u:p/{}@bucket/file"])
def test_a_buckets_uri_with_a_secret_is_refused_without_showing_it(scheme: str, uri: str) -> None:
    expected = f"^{scheme}://bucket/file: leave out the user or signature"
    with pytest.raises(UsageError, match=expected) as failure:
        place_of(f"{scheme}://{uri.format(CANARY)}")
    assert CANARY not in reported(failure.value)


def test_an_emulators_address_is_reported_without_the_password_in_it(
    monkeypatch: pytest.MonkeyPatch, everything: Callable[..., str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setattr(gcs, "RETRY_SECONDS", 1.0)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://user:{CANARY}@127.0.0.1:{port}")
    with pytest.raises(StorageError, match="gs://bucket/file: can't be reached") as failure:
        place_of("gs://bucket/file").store.read("file")
    assert CANARY not in reported(failure.value)
    assert CANARY not in everything()


def test_a_broken_key_file_is_reported_without_what_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, everything: Callable[..., str]
) -> None:
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    keys = tmp_path / "keys" / "service.json"
    keys.parent.mkdir()
    key = {"type": "service_account", "client_email": "a@b", "token_uri": "http://127.0.0.1:9", "private_key": CANARY}
    for text in (json.dumps(key), json.dumps({"type": CANARY}), f"{CANARY} is no JSON"):
        keys.write_text(text)
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(keys))
        with pytest.raises(StorageError, match="gs://bucket: ") as failure:
            place_of("gs://bucket/file")
        assert CANARY not in reported(failure.value)
    assert CANARY not in everything()
