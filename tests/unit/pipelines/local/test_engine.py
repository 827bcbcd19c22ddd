"""How a run passes on the signals that stop it; tests/integration has whole runs that are stopped."""

import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from components.artifacts import scratch
from components.command.log import Display
from pipelines.local import engine
from pipelines.local.engine import Processes, Relay, passing_on_signals, quiet_engine

DEAF = "trap '' INT TERM; echo started; while :; do sleep 0.1; done"


class Idle:
    """Runs no stage."""

    killed = False

    def start(self, *_: object) -> Any: ...

    def stop(self, *_: object, **__: object) -> bool:
        return False


@pytest.fixture(autouse=True)
def signals_of_a_terminal() -> Iterator[None]:
    """Ctrl-C and a closed terminal do what they do without nohup, wherever the tests run."""
    ctrl_c = signal.signal(signal.SIGINT, signal.default_int_handler)
    closed = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGINT, ctrl_c)
    signal.signal(signal.SIGHUP, closed)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_no_stage_runs_ends_the_run(number: int) -> None:
    before = signal.getsignal(number)
    with passing_on_signals(Idle()) as received, pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), number)
    assert received == [number]
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_signal_that_the_caller_ignores_stays_ignored(number: int) -> None:
    before = signal.signal(number, signal.SIG_IGN)
    with passing_on_signals(Idle()) as received:
        os.kill(os.getpid(), number)
        time.sleep(0.1)
    signal.signal(number, before)
    assert received == []


def test_a_terminal_that_is_closed_is_passed_on_as_sigterm() -> None:
    reported: list[int] = []

    class Running(Idle):
        def stop(self, number: int, *, at_once: bool) -> bool:
            reported.append(0 if at_once else number)
            return True

    with passing_on_signals(Running()) as received:
        os.kill(os.getpid(), signal.SIGHUP)
    assert (received, reported) == ([signal.SIGHUP], [signal.SIGTERM])


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


def line(severity: str, message: str) -> str:
    """A line of the stage train, as it logs in a run."""
    return json.dumps({"quillflow": "1", "severity": severity, "stage": "train", "message": message}) + "\n"


def test_what_stages_and_the_engine_print_is_shown_and_not_obeyed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shown, verbose = io.StringIO(), io.StringIO()
    path = tmp_path / "run.log"
    with path.open("w", encoding="utf-8") as log:
        relay = Relay(Display(shown), log, verbose)
        relay.write(line("INFO", "wrote:\n\x1b[2J\x9b"))
        relay.write("\x1b[94m'train'\x1b[0m said \x1b]0;title\x07 \udce9\n")
        relay.write(line("ERROR", "error: \x1b[2J"))
    assert shown.getvalue() == "train      wrote:\n           \\x1b[2J\\x9b\n"
    assert verbose.getvalue() == "'train' said \\x1b]0;title\\x07 \\udce9\n"
    assert relay.last_error == "train: \x1b[2J", "to be made visible where it is shown"
    assert "\x1b" not in path.read_text(encoding="utf-8")
    assert verbose.getvalue() in path.read_text(encoding="utf-8")


def test_a_run_that_was_killed_leaves_its_directory_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(scratch, "SWEPT_AFTER_SECONDS", 0)
    code = (
        "import io, os, signal; from pipelines.local.engine import Relay, quiet_engine\n"
        "from components.command.log import Display\n"
        "with quiet_engine(Relay(Display(io.StringIO()), open(os.devnull, 'w'), None), {}, verbose=False):\n"
        "    open(os.environ['TMPDIR'] + '/file', 'w').close(); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[4], check=False)
    (left,) = tmp_path.iterdir()
    assert (left / "file").exists()
    relay = Relay(Display(io.StringIO()), io.StringIO(), None)
    with quiet_engine(relay, {}, verbose=False):
        assert not left.exists()
        (own,) = tmp_path.glob("quillflow-scratch-*")
    assert not own.exists()
