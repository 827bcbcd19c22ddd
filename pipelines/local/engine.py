"""Runs Kubeflow's local engine: sorts its output, passes signals on, and removes its temporary files."""

import builtins
import io
import json
import logging
import os
import re
import shutil
import signal
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, Protocol, TextIO

from components.artifacts.machine import processes_below
from components.artifacts.scratch import make_scratch
from components.command.log import FORMAT_VARIABLE, MARK, Display
from components.command.printing import put, visible, without_colours, write
from components.steps import HERE
from pipelines.local.engine_hooks import exit_codes_reported

STOP_SECONDS = 60
"""How long a stopped stage may take to save."""
# The engine's own message, possibly with colours; a task's name begins with its stage's: sample, sample-shard.
_EXECUTING = re.compile(rf"Executing task .*'({'|'.join(HERE)})\b")


class Relay(io.TextIOBase):
    """Stands in for standard output while the engine runs.

    The stages' own lines (JSON, see components.command.log) go to the display; everything else, such as the engine's
    output, goes only to the log.
    """

    def __init__(self, display: Display, log: TextIO, verbose: TextIO | None) -> None:
        self._display, self._log, self._verbose = display, log, verbose
        self._rest = ""
        self._lock = Lock()  # the engine runs a loop's tasks side by side
        self._reported: set[str] = set()
        self.executed: list[str] = []
        self.last_error = ""
        self.exit_code = 1

    @property
    def log_name(self) -> str:
        """The log's path."""
        return self._log.name

    def write(self, text: str) -> int:
        """Collect text and handle whole lines."""
        with self._lock:
            *lines, self._rest = (self._rest + text).split("\n")
            for line in lines:
                self._handle(line)
        return len(text)

    def show_cached(self, stages: Sequence[str]) -> None:
        """Show which of `stages` came from the cache, once each."""
        for stage in stages:
            if stage not in self.executed and stage not in self._reported:
                self._display.show(stage, "cached: made before from the same input, settings and version")
                self._reported.add(stage)

    def _handle(self, line: str) -> None:
        put(visible(without_colours(line)) + "\n", self._log)
        entry = _stage_line(line)
        if entry is None and (task := _EXECUTING.search(line)):
            self.executed.append(task[1])
            self.show_cached(HERE[: HERE.index(task[1])])
        if entry is None:
            if self._verbose and line.strip():
                write(without_colours(line) + "\n", self._verbose)
        elif entry["severity"] == "ERROR":
            self.last_error = f"{entry['stage']}: {entry['message'].removeprefix('error: ')}"
            self.exit_code = entry.get("exit_code", 1)
        else:
            self._display.show(entry["stage"], entry["message"], progress=entry["severity"] == "DEBUG")


def _stage_line(line: str) -> dict[str, Any] | None:
    if MARK not in line:
        return None
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and {"severity", "stage", "message"} <= entry.keys() else None


@contextmanager
def quiet_engine(relay: Relay, extra: Mapping[str, str], *, verbose: bool) -> Iterator[None]:
    """Relay the engine's output, hide its warnings, and remove its temporary files."""
    scratch = make_scratch()
    # SubprocessRunner puts sys.executable for the text "python3" in every argument, a path or prompt with
    # that text in it included. With this name for it the exchange changes nothing.
    executable, beside = sys.executable, Path(sys.executable).parent
    has_python3 = (beside / "python3").exists()
    environment = {FORMAT_VARIABLE: "json", "PYTHONUNBUFFERED": "1", "TMPDIR": str(scratch), **extra}
    if has_python3:
        environment["PATH"] = f"{beside}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    tempfile.tempdir = None
    try:
        sys.executable = "python3" if has_python3 else executable
        with redirect_stdout(relay), _undisturbed(), warnings.catch_warnings():
            warnings.simplefilter("default" if verbose else "ignore")
            yield
    finally:
        sys.executable = executable
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        tempfile.tempdir = None
        shutil.rmtree(scratch, ignore_errors=True)


class Executor(Protocol):
    """Where a run's stages run.

    Attributes:
        killed: whether a stage was killed by SIGKILL, usually because memory ran out.
    """

    killed: bool

    def start(self, pipeline: Any, arguments: Mapping[str, Any], root: Path) -> Any:
        """Run a pipeline with the directory `root` for Kubeflow's engine; return its outputs."""

    def stop(self, number: int, *, at_once: bool) -> bool:
        """Signal everything that runs, and kill it after STOP_SECONDS or at once; False if nothing runs.

        Called in the signal's handler.
        """


class Processes:
    """Stages as processes on this machine, with this process's environment."""

    def __init__(self) -> None:
        self.killed = False
        self._ended = Event()

    def start(self, pipeline: Any, arguments: Mapping[str, Any], root: Path) -> Any:
        """Run a pipeline with the directory `root` for Kubeflow's engine; return its outputs."""
        from kfp import local

        local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(root), enable_caching=True)
        try:
            with exit_codes_reported(self._note):
                return pipeline(**arguments).outputs
        finally:
            self._ended.set()

    def stop(self, number: int, *, at_once: bool) -> bool:
        """Signal all processes that this one has started; a terminal sends them SIGINT itself."""
        if at_once:
            return _send(signal.SIGKILL)
        Thread(target=self._see_the_end, daemon=True).start()
        return _send(0 if number == signal.SIGINT else number)

    def _note(self, exit_code: int) -> None:
        # A stage's process is a shell's child: the shell reports a kill of the child by this code.
        self.killed |= exit_code in {-signal.SIGKILL, 128 + signal.SIGKILL}

    def _see_the_end(self) -> None:
        """Signal processes that no terminal signalled or that started since, and kill those that do not end."""
        for _ in range(STOP_SECONDS):
            if self._ended.wait(1):
                return
            _send(signal.SIGTERM)
        _send(signal.SIGKILL)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Restore `print` and the root logger: parallel tasks overwrite each other's saved versions."""
    root, original_print = logging.getLogger(), builtins.print
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        builtins.print = original_print
        root.handlers[:] = handlers
        root.setLevel(level)


@contextmanager
def passing_on_signals(executor: Executor) -> Iterator[list[int]]:
    """Pass SIGTERM and Ctrl-C on to the running stage, so that training saves before everything ends.

    SIGHUP, from a closed terminal, counts as SIGTERM. The signals received are listed. SIGINT and SIGHUP that the
    caller ignores, as nohup does, stay ignored; a second SIGINT ends everything at once.

    Raises:
        KeyboardInterrupt: a signal arrived while no stage was running.
    """
    received: list[int] = []

    def pass_on(number: int, _: object) -> None:
        received.append(number)
        passed = signal.SIGTERM if number == signal.SIGHUP else number
        if not executor.stop(passed, at_once=received.count(signal.SIGINT) > 1):
            raise KeyboardInterrupt

    may_be_ignored = [number for number in (signal.SIGINT, signal.SIGHUP) if signal.getsignal(number) != signal.SIG_IGN]
    numbers = [signal.SIGTERM, *may_be_ignored]
    before = {number: signal.signal(number, pass_on) for number in numbers}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _send(number: int) -> bool:
    """Send a signal (0: none) to all processes that this one has started; False if none are left."""
    processes = processes_below(os.getpid())
    for process in processes:
        with suppress(ProcessLookupError):  # it has just ended
            os.kill(process, number)
    return bool(processes)
