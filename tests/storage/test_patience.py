"""Waiting and trying again: where it helps, for a while, and advised nowhere else."""

import socket
import threading
import time

import pytest

from components.artifacts.storage import Place, StorageError, gcs, place_of, s3_client
from tests.storage import servers

ALWAYS = 1000


@pytest.fixture(params=["gs", "s3"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    for client in (gcs, s3_client):
        monkeypatch.setattr(client, "RETRY_SECONDS", 0.5)


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize("status", ["400", "403", "404", "405", "501"])
def test_what_no_time_changes_is_asked_once_and_not_advised_again(
    at: Place, faults: servers.Faults, status: str
) -> None:
    place = at / "file"
    faults.add(status, times=ALWAYS)
    with pytest.raises(StorageError, match=f"the server answered {status}") as failure:
        place.store.write(place.key, b"text")
    assert "again" not in str(failure.value)
    assert len([request for request in faults.seen if request.startswith(("PUT", "POST"))]) <= 1


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize("status", ["408", "429", "500", "502", "503", "504"])
def test_what_may_pass_is_tried_again_for_a_while_and_advised(at: Place, faults: servers.Faults, status: str) -> None:
    place = at / "file"
    faults.add(status, times=ALWAYS)
    with pytest.raises(StorageError, match=rf"the server answered {status} .*try again later\)$"):
        list(place.store.list(place.key))
    assert len(faults.seen) > 2


def test_a_server_that_is_away_for_a_while_is_waited_for(at: Place, faults: servers.Faults) -> None:
    place = at / "file"
    place.store.write(place.key, b"text")
    for fault in ("503", "reset"):
        faults.add(fault, times=ALWAYS)
        back = threading.Timer(1.0, faults.clear)
        back.start()
        began = time.monotonic()
        found = place.store.read(place.key)
        assert found is not None
        assert found[0] == b"text"
        assert time.monotonic() - began > 0.9


@pytest.fixture
def nobody() -> str:
    """An address where no server is."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    return f"http://127.0.0.1:{port}"


@pytest.mark.usefixtures("fresh_clients")
def test_a_server_that_never_answered_is_given_up_sooner(nobody: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_client, "RETRY_SECONDS", 60.0)
    monkeypatch.setenv("AWS_ENDPOINT_URL", nobody)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    began = time.monotonic()
    with pytest.raises(StorageError, match=r"can't be reached \(connection refused\).*then try again"):
        place_of("s3://bucket/file").store.read("file")
    assert time.monotonic() - began < 10
