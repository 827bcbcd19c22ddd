"""A store that can't be reached is reported within seconds, once, and again when it is back."""

import logging
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from components.artifacts.storage import Place, contact
from tests.storage import servers

pytestmark = pytest.mark.usefixtures("fresh_clients", "soon")


@pytest.fixture(params=["gs", "s3"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def silent_after() -> float:
    """When silence is reported, in seconds: soon only where a test is about it, as a busy machine answers late."""
    return 20.0


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch, silent_after: float) -> None:
    """Of the real time until failures are reported a tenth."""
    monkeypatch.setattr(contact, "REPORTED_AFTER_SECONDS", 0.15)
    monkeypatch.setattr(contact, "SILENT_SECONDS", silent_after)


about_silence = pytest.mark.parametrize("silent_after", [0.5])


class Lines(logging.Handler):
    """What is logged, each line with its level."""

    def __init__(self) -> None:
        super().__init__()
        self.reported: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.reported.append(re.sub(r"\b\d+ s\b", "N s", f"{record.levelname} {record.getMessage()}"))


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    handler, logger = Lines(), logging.getLogger("quillflow")
    level = logger.level
    monkeypatch.setattr(logger, "handlers", [handler])
    logger.setLevel(logging.INFO)  # also forgets which levels were enabled
    yield handler.reported
    logger.setLevel(level)


@pytest.fixture
def known(at: Place) -> Place:
    """A place in a store that has answered before."""
    at.store.write(at.key, b"x")
    return at


def away(place: Place, why: str) -> str:
    return f"WARNING {place.store.uri('')}: can't be reached ({why}); trying again for up to N s"


def back(place: Place) -> str:
    return f"INFO {place.store.uri('')}: answers again, after N s"


@pytest.mark.parametrize(
    ("fault", "why"), [("reset", "connection reset by peer"), ("503", "it answers 503"), ("429", "it answers 429")]
)
def test_many_that_wait_for_a_store_report_once_that_it_is_away_and_once_that_it_is_back(
    known: Place, faults: servers.Faults, fault: str, why: str, lines: list[str]
) -> None:
    for _ in range(2):
        faults.add(fault, times=1000)
        threading.Timer(1.0, faults.clear).start()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda number: known.store.write(f"{known.key}-{number}", b"x"), range(4)))
    assert lines == [away(known, why), back(known)] * 2


def test_it_is_reported_while_the_store_is_still_away(known: Place, faults: servers.Faults, lines: list[str]) -> None:
    faults.add("reset", times=1000)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(known.store.read, known.key)
        deadline = time.monotonic() + 4
        while not lines and time.monotonic() < deadline:
            time.sleep(0.02)
        assert lines == [away(known, "connection reset by peer")]
        assert not waiting.done()
        faults.clear()


@about_silence
def test_a_server_that_says_nothing_at_all_is_reported_before_its_time_is_up(
    known: Place, faults: servers.Faults, lines: list[str]
) -> None:
    faults.add("stall")
    threading.Timer(1.5, faults.clear).start()
    known.store.read(known.key)
    assert lines == [away(known, "no answer for N s"), back(known)]


def test_single_refusals_are_no_news(
    known: Place, faults: servers.Faults, monkeypatch: pytest.MonkeyPatch, lines: list[str]
) -> None:
    monkeypatch.setattr(contact, "REPORTED_AFTER_SECONDS", 5.0)
    for _ in range(3):
        faults.add("503", times=2)
        known.store.read(known.key)
    assert not lines


@about_silence
def test_a_server_that_is_always_slow_is_reported_once(known: Place, faults: servers.Faults, lines: list[str]) -> None:
    faults.be_late(0.8)
    for _ in range(3):
        known.store.read(known.key)
    assert lines == [away(known, "no answer for N s"), back(known)]


@about_silence
def test_a_large_file_may_take_as_long_as_the_network_does(
    known: Place, faults: servers.Faults, tmp_path: Path, lines: list[str]
) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(contact.SMALL_BYTES))
    faults.be_late(0.8, "^(PUT|POST) ")
    known.store.upload(path, f"{known.key}-large")
    assert not lines
