"""Training that is killed, or fails in a way that may pass, starts again in its task; what is wrong fails at once."""

import faulthandler
import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.errors import CheckpointsInUseError, DivergedError, QuillflowError, UsageError
from components.artifacts.storage import StorageError
from components.artifacts.storage.store import AwayError
from components.command import log
from components.train.attempts import RETRIES_VARIABLE, Retries, lasting


@pytest.fixture
def tries(tmp_path: Path) -> Path:
    """Where each attempt leaves a line with its process."""
    return tmp_path / "tries"


@pytest.fixture(autouse=True)
def three_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RETRIES_VARIABLE, Retries(count=3, backoff=0.01, factor=2).as_variable())


def count(tries: Path) -> int:
    return len(tries.read_text().splitlines())


def work(tries: Path, fail: Callable[[], Any], times: int = 99) -> Callable[[], dict[str, Any]]:
    """Work that fails so many times, and then does well."""

    def go() -> dict[str, Any]:
        with tries.open("a") as file:
            file.write(f"{os.getpid()}\n")
        if count(tries) <= times:
            fail()
        return {"pid": os.getpid(), "tries": count(tries)}

    return go


def kill(number: int) -> Callable[[], None]:
    def fail() -> None:
        faulthandler.disable()
        os.kill(os.getpid(), number)

    return fail


def raising(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    "fail",
    [
        kill(signal.SIGKILL),
        kill(signal.SIGSEGV),
        raising(AwayError("s3://b/k: the server answered 503")),
        raising(CheckpointsInUseError("s3://b/k: owned by another")),
    ],
)
def test_what_may_pass_is_tried_again_in_another_process(tries: Path, fail: Callable[[], None]) -> None:
    result = lasting(work(tries, fail, times=2))
    assert result["tries"] == 3
    assert len({os.getpid(), *map(int, tries.read_text().split())}) == 4


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("train.batch: must be above 0"), 2),
        (DivergedError("the loss is nan"), 1),
        (StorageError("s3://b/k: the server answered 403"), 1),
        (QuillflowError("no"), 1),
        (ValueError("a fault of our own"), 1),
    ],
)
def test_what_would_fail_alike_is_not_tried_again(tries: Path, error: Exception, code: int) -> None:
    with pytest.raises(SystemExit) as ended:
        lasting(work(tries, raising(error)))
    assert (ended.value.code, count(tries)) == (code, 1)


@pytest.mark.parametrize(("fail", "code"), [(kill(signal.SIGKILL), 137), (raising(CheckpointsInUseError("no")), 75)])
def test_it_is_tried_no_more_often_than_the_environment_says(tries: Path, fail: Any, code: int) -> None:
    with pytest.raises(SystemExit) as ended:
        lasting(work(tries, fail))
    assert (ended.value.code, count(tries)) == (code, 1 + 3)


def test_each_wait_is_longer_than_the_one_before(tries: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RETRIES_VARIABLE, Retries(count=2, backoff=0.2, factor=3).as_variable())
    began = time.monotonic()
    with pytest.raises(SystemExit):
        lasting(work(tries, kill(signal.SIGKILL)))
    assert time.monotonic() - began >= 0.2 + 0.6


def test_without_the_variable_it_is_done_where_it_is_called(tries: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(RETRIES_VARIABLE)
    assert lasting(work(tries, raising(ValueError()), times=0))["pid"] == os.getpid()


def test_sigterm_reaches_the_one_who_trains_and_nothing_starts_again(tries: Path) -> None:
    def until_signalled() -> None:
        signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(SystemExit(143)))
        threading.Event().wait(30)

    threading.Timer(0.5, os.kill, [os.getpid(), signal.SIGTERM]).start()
    with pytest.raises(SystemExit) as ended:
        lasting(work(tries, until_signalled))
    assert (ended.value.code, count(tries)) == (143, 1)


def test_sigterm_ends_the_wait_for_another_attempt(tries: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RETRIES_VARIABLE, Retries(count=3, backoff=60, factor=2).as_variable())
    threading.Timer(0.5, os.kill, [os.getpid(), signal.SIGTERM]).start()
    began = time.monotonic()
    with pytest.raises(SystemExit) as ended:
        lasting(work(tries, kill(signal.SIGKILL)))
    assert (ended.value.code, count(tries)) == (143, 1)
    assert time.monotonic() - began < 30


def test_sigint_that_the_caller_ignores_stops_nothing(tries: Path) -> None:
    def interrupt() -> None:
        os.kill(os.getppid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        raise AwayError("s3://b/k: the server answered 503")

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert lasting(work(tries, interrupt, times=1))["tries"] == 2
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_log_counts_training_s_own_restarts(
    tries: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(log.FORMAT_VARIABLE, "json")
    log.set_up("train")
    fail = work(tries, raising(AwayError("s3://b/k: the server answered 503")), times=2)

    def say_and_fail() -> dict[str, Any]:
        log.info("trains")
        return fail()

    lasting(say_and_fail)
    entries = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith(log.MARK)]
    assert [entry.get("restart", 0) for entry in entries if entry["message"] == "trains"] == [0, 1, 2]
    assert not any("restart" in entry for entry in entries if "restarts from" in entry["message"])
