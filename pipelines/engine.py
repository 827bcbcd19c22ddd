"""What surrounds Kubeflow's local engine: its output is sorted, signals are passed on, leavings removed."""

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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from threading import Lock
from typing import Any, TextIO

from components.command.log import FORMAT_VARIABLE, Display

STAGES = ("ingest", "vectorize", "train", "sample", "report", "promote")
# The engine's own words, with colours about; a task's name begins with its stage's: sample, sample-shard.
_EXECUTING = re.compile(rf"Executing task .*'({'|'.join(STAGES)})\b")


class Relay(io.TextIOBase):
    """Stands in for standard output while the engine runs.

    The stages' own lines (JSON, see components.command.log) go to the display; all else, the engine's
    noise among it, goes to the log only.
    """

    def __init__(self, display: Display, log: TextIO, verbose: TextIO | None) -> None:
        self._display, self._log, self._verbose = display, log, verbose
        self._rest = ""
        self._lock = Lock()  # the engine runs a loop's tasks side by side
        self._told: set[str] = set()
        self.executed: list[str] = []
        self.last_error = ""
        self.exit_code = 1

    @property
    def log_name(self) -> str:
        """The log's path."""
        return self._log.name

    def write(self, text: str) -> int:
        """Take text as it comes, and handle whole lines."""
        with self._lock:
            *lines, self._rest = (self._rest + text).split("\n")
            for line in lines:
                self._handle(line)
        return len(text)

    def show_cached(self, stages: Sequence[str]) -> None:
        """Tell of those of `stages` that the cache answered for, once each."""
        for stage in stages:
            if stage not in self.executed and stage not in self._told:
                self._display.show(stage, "cached: made before from the same input, settings and version")
                self._told.add(stage)

    def _handle(self, line: str) -> None:
        self._log.write(line + "\n")
        self._log.flush()
        entry = _stage_line(line)
        if entry is None and (task := _EXECUTING.search(line)):
            self.executed.append(task[1])
            self.show_cached(STAGES[: STAGES.index(task[1])])
        if entry is None:
            if self._verbose and line.strip():
                self._verbose.write(line + "\n")
        elif entry["level"] == "error":
            self.last_error = f"{entry['quillflow']}: {entry['message'].removeprefix('error: ')}"
            self.exit_code = entry.get("exit_code", 1)
        else:
            self._display.show(entry["quillflow"], entry["message"], progress=entry["level"] == "progress")


def _stage_line(line: str) -> dict[str, Any] | None:
    if '{"quillflow"' not in line:
        return None
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and {"quillflow", "level", "message"} <= entry.keys() else None


@contextmanager
def quiet_engine(relay: Relay, extra: Mapping[str, str], *, verbose: bool) -> Iterator[None]:
    """The engine's surroundings: its output relayed, its warnings unseen, its temporary files removed."""
    scratch = tempfile.mkdtemp(prefix="quillflow-run-")
    # SubprocessRunner puts sys.executable for the text "python3" in every argument, a path or prompt with
    # that text in it included. With this name for it the exchange changes nothing.
    executable, beside = sys.executable, Path(sys.executable).parent
    has_python3 = (beside / "python3").exists()
    environment = {FORMAT_VARIABLE: "json", "PYTHONUNBUFFERED": "1", "TMPDIR": scratch, **extra}
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


class Processes:
    """Stages as processes of this machine, in the environment this one runs in."""

    def start(self, pipeline: Any, arguments: Mapping[str, Any], root: Path) -> Any:
        """Run a pipeline, with what Kubeflow's engine keeps in the directory `root`; its outputs."""
        from kfp import local

        local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(root), enable_caching=True)
        return pipeline(**arguments).outputs

    def terminate(self) -> None:
        """Send SIGTERM to all that this process has started."""
        for process in _descendants(os.getpid()):
            os.kill(process, signal.SIGTERM)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep `print` and the root logger: of tasks side by side each puts back what another had put there."""
    root, original_print = logging.getLogger(), builtins.print
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        builtins.print = original_print
        root.handlers[:] = handlers
        root.setLevel(level)


@contextmanager
def passing_on_sigterm(terminate: Callable[[], None]) -> Iterator[list[int]]:
    """Pass SIGTERM on to the stage that runs, so that training commits before all ends; what came is listed."""
    received: list[int] = []

    def pass_on(number: int, _: object) -> None:
        received.append(number)
        terminate()

    before = signal.signal(signal.SIGTERM, pass_on)
    try:
        yield received
    finally:
        signal.signal(signal.SIGTERM, before)


def _descendants(process: int) -> list[int]:
    """The processes that a process started, and theirs, by Linux's /proc; none elsewhere."""
    found: list[int] = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            children = [int(child) for child in task.read_text().split()]
        except OSError:  # it has just ended
            continue
        found += [each for child in children for each in (*_descendants(child), child)]
    return found
