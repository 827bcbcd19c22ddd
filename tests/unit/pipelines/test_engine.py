"""How a run passes on the signals that stop it; tests/integration has whole runs that are stopped."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipelines import engine
from pipelines.engine import Processes, passing_on_signals

DEAF = "trap '' INT TERM; echo begun; while :; do sleep 0.1; done"


class Idle:
    """Runs no stage."""

    def start(self, *_: object) -> Any: ...

    def stop(self, *_: object, **__: object) -> bool:
        return False


@pytest.fixture(autouse=True)
def ctrl_c() -> Iterator[None]:
    """Ctrl-C as it is at a terminal, wherever the tests run."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_no_stage_runs_ends_the_run(number: int) -> None:
    before = signal.getsignal(number)
    with passing_on_signals(Idle()) as received, pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), number)
    assert received == [number]
    assert signal.getsignal(number) is before


def test_ctrl_c_that_the_caller_ignores_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with passing_on_signals(Idle()) as received:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)
    assert received == []


def stopped(presses: int, root: Path) -> float:
    """How many seconds a stage that heeds no signal lived on after Ctrl-C was pressed so often."""
    with passing_on_signals(executor := Processes()):

        def stage() -> Any:
            with subprocess.Popen(["sh", "-c", DEAF], stdout=subprocess.PIPE) as process:
                assert process.stdout is not None
                process.stdout.readline()
                began = time.monotonic()
                for _ in range(presses):
                    os.kill(os.getpid(), signal.SIGINT)
                process.wait()
                return SimpleNamespace(outputs=time.monotonic() - began)

        return float(executor.start(stage, {}, root))


def test_a_stage_that_does_not_save_in_its_time_is_killed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(engine, "STOP_SECONDS", 2)
    assert 1.5 < stopped(1, tmp_path) < 20


def test_a_second_ctrl_c_kills_the_stage_at_once(tmp_path: Path) -> None:
    assert stopped(2, tmp_path) < 20  # of the 60 that it would have
