"""What can't be recovered from is one line that says what is wrong and whether trying again may help."""

import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.storage import (
    ABSENT,
    Place,
    StorageError,
    gcs,
    place_of,
    s3_client,
)
from tests.storage import servers

ALWAYS = 1000


@pytest.fixture(params=["gs", "s3"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def soon(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 -- it comes first
    """Clients give up soon."""
    monkeypatch.setattr(gcs, "RETRY_SECONDS", 1.0)
    monkeypatch.setattr(s3_client, "RETRY_SECONDS", 1.0)
    monkeypatch.setattr(s3_client, "UNHEARD_SECONDS", 1.0)


def uses(place: Place, path: Path) -> Iterator[Callable[[], Any]]:
    """Everything that a store does, as calls that may fail."""
    yield lambda: place.store.read(place.key)
    yield lambda: place.store.write(place.key, b"x")
    yield lambda: place.store.write(place.key, b"x", expected=ABSENT)
    yield lambda: place.store.upload(path, place.key)
    yield lambda: place.store.download(place.key, path.with_name("copy"))
    yield lambda: place.store.delete(place.key)
    yield lambda: list(place.store.list(place.key))


def line_of(use: Callable[[], Any], *, may_pass: bool) -> str:
    with pytest.raises(StorageError) as failure:
        use()
    assert failure.value.may_pass == may_pass
    assert "\n" not in str(failure.value)
    assert failure.value.__suppress_context__, "the library's own error, with its URLs, would be shown too"
    return str(failure.value)


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("fault", ["503", "429", "stall", "reset"])
def test_a_server_that_stays_down_ends_in_one_line_soon(
    at: Place, faults: servers.Faults, fault: str, source: Callable[[int], Path]
) -> None:
    place, path = at / "file", source(1000)
    cause = {"stall": "can't be reached (no answer in time)", "reset": "can't be reached (connection reset by peer)"}
    faults.add(fault, times=ALWAYS)
    start = time.monotonic()
    line = line_of(lambda: place.store.upload(path, place.key), may_pass=True)
    assert time.monotonic() - start < servers.STALL_SECONDS
    assert line.startswith(f"{place}: ")
    assert cause.get(fault, f"the server answered {fault}") in line
    assert "try again" in line


@pytest.mark.parametrize("status", ["401", "403"])
def test_what_is_not_allowed_is_said_at_once_with_what_to_do(
    at: Place, kind: str, faults: servers.Faults, status: str, source: Callable[[int], Path]
) -> None:
    place = at / "file"
    for use in uses(place, source(10)):
        faults.clear()
        faults.add(status, times=ALWAYS)
        line = line_of(use, may_pass=False)
        assert line.startswith(f"{place}: ")
        assert f"the server answered {status}" in line or (kind, status) == ("gs", "401")
        assert re.search({"gs": "gcloud auth|application default credentials", "s3": "AWS_ACCESS_KEY_ID"}[kind], line)
        assert len(faults.seen) == 1, "it was tried again in vain"


@pytest.mark.parametrize("variable", [("gs", "STORAGE_EMULATOR_HOST"), ("s3", "AWS_ENDPOINT_URL")])
@pytest.mark.usefixtures("fresh_clients", "soon")
def test_a_server_that_is_not_there_is_named_by_its_variable(
    variable: tuple[str, str], server_of: object, monkeypatch: pytest.MonkeyPatch, source: Callable[[int], Path]
) -> None:
    assert server_of
    scheme, name = variable
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    place = place_of(f"{scheme}://bucket/file")
    line = line_of(next(uses(place, source(10))), may_pass=True)
    assert line.startswith(f"{scheme}://bucket/file: can't be reached (connection refused); check")
    assert name in line


@pytest.mark.parametrize(
    ("uri", "advice"),
    [
        ("gs://bucket/file", "no Google credentials; run `gcloud auth application-default login`"),
        ("s3://bucket/file", "no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    ],
)
@pytest.mark.usefixtures("fresh_clients")
def test_missing_credentials_are_said_with_what_to_do(uri: str, advice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STORAGE_EMULATOR_HOST", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    line = line_of(lambda: place_of(uri).store.read("file"), may_pass=False)
    assert advice in line
