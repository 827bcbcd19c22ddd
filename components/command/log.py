"""The log: a stage's name and a message per line, on standard error.

With QUILLFLOW_LOG=json in the environment each line is a JSON object instead. Its first key, "quillflow", is the
suite's version; by it a pipeline's runner distinguishes the stages' lines from other output. "time", "severity" and
"message" are where log collectors on a cluster look for them: Cloud Logging, and OpenTelemetry's collector. "run",
"stage" and "attempt" (from 1) say whose line it is; "restart" counts training's own in that attempt. The error that
stopped the work has its "exit_code".

Control codes in people's text are shown as escapes; see components.command.printing.
"""

import logging
import os
import shutil
import sys
import time
from datetime import UTC, datetime
from typing import Any, TextIO

from components.artifacts import pace
from components.artifacts.as_json import as_json
from components.artifacts.pace import PROGRESS
from components.artifacts.version import VERSION
from components.command.printing import Colour, is_terminal, open_standard_streams, paint, put, visible

FORMAT_VARIABLE = "QUILLFLOW_LOG"
RUN_VARIABLE = "QUILLFLOW_RUN"
RESTART_VARIABLE = "QUILLFLOW_RESTART"
"""Which restart of training by itself this process is, from 1; unset for the first start."""
_RETRY_VARIABLE = "KFP_RETRY_INDEX"  # Kubeflow sets it in each pod, from 0
MARK = '{"quillflow"'
"""How a line in JSON begins."""
SECONDS_BETWEEN_PLAIN_LINES = 5.0
LONG_TRANSFER_BYTES = 10_000_000
Pace, progress, size = pace.Pace, pace.progress, pace.size
_LOGGER = logging.getLogger("quillflow")
_STARTS: dict[str, Colour] = {"error:": "red", "warning:": "yellow"}


class Display:
    """Lines for a person: progress rewrites one line on a terminal, and is an occasional line elsewhere.

    A quiet display shows nothing.
    """

    def __init__(self, stream: TextIO, *, quiet: bool = False) -> None:
        self._stream = stream
        self._quiet = quiet
        self._rewrites = is_terminal(stream)
        self._unfinished = False
        self._last_progress = -SECONDS_BETWEEN_PLAIN_LINES

    def show(self, stage: str, message: str, *, progress: bool = False) -> None:
        """Print a message of a stage, with the stage's name before its first line."""
        if self._quiet:
            return
        message = self._with_coloured_start(visible(message, one_line=progress))
        stage = visible(stage, one_line=True)
        line = f"{stage:<10} {message}".replace("\n", f"\n{'':<11}") if stage else message
        if not progress:
            self._write(f"{line}\n")
            self._unfinished = False
        elif self._rewrites:
            self._write(line[: shutil.get_terminal_size().columns - 1])
            self._unfinished = True
        elif time.monotonic() - self._last_progress >= SECONDS_BETWEEN_PLAIN_LINES:
            self._write(f"{line}\n")
            self._last_progress = time.monotonic()

    def _with_coloured_start(self, message: str) -> str:
        for start, colour in _STARTS.items():
            if message.startswith(start):
                return paint(start, colour, self._stream) + message.removeprefix(start)
        return message

    def _write(self, text: str) -> None:
        put(("\r\x1b[K" if self._unfinished else "") + text, self._stream)


class _Handler(logging.Handler):
    def __init__(self, stage: str) -> None:
        super().__init__()
        self._stage = stage
        self._display = Display(sys.stderr)
        self._json = os.environ.get(FORMAT_VARIABLE) == "json"

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record as a line for a person, or as JSON."""
        message = record.getMessage()
        if record.levelno >= logging.ERROR:
            message = f"error: {visible(message, one_line=True)}"
        elif record.levelno >= logging.WARNING:
            message = f"warning: {visible(message, one_line=True)}"
        if self._json:
            put(as_json(_entry(record, self._stage, message)) + "\n", sys.stderr, relayed=True)
            return
        self._display.show(self._stage, message, progress=record.levelno == PROGRESS)


def _entry(record: logging.LogRecord, stage: str, message: str) -> dict[str, Any]:
    """A record's line as JSON; progress has the severity DEBUG, and nothing else has."""
    variables = os.environ
    entry: dict[str, Any] = {
        "quillflow": VERSION,
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "severity": "DEBUG" if record.levelno == PROGRESS else record.levelname,
        "run": variables.get(RUN_VARIABLE, ""),
        "stage": stage,
        "attempt": _number(variables.get(_RETRY_VARIABLE)) + 1,
        "restart": _number(variables.get(RESTART_VARIABLE)),
        "message": message,
        "exit_code": getattr(record, "exit_code", None),
    }
    return {name: value for name, value in entry.items() if value or name in {"stage", "message"}}


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0


def set_up(stage: str, *, quiet: bool = False) -> None:
    """Send this process's messages to standard error as messages of `stage` (may be empty); `quiet`: only errors."""
    open_standard_streams()
    _LOGGER.handlers[:] = [_Handler(stage)]
    _LOGGER.setLevel(logging.ERROR if quiet else PROGRESS)
    _LOGGER.propagate = False


def is_quiet() -> bool:
    """Whether only errors are shown."""
    return not _LOGGER.isEnabledFor(logging.WARNING)


def info(message: str) -> None:
    """Log a line of information."""
    _LOGGER.info("%s", message)


def warning(message: str) -> None:
    """Log something that the user may want to change."""
    _LOGGER.warning("%s", message)


def error(message: str, exit_code: int = 1) -> None:
    """Log what stopped the work, with its exit code."""
    _LOGGER.error("%s", message, extra={"exit_code": exit_code})


def transferred(done: int, total: int) -> None:
    """Log how many bytes have been transferred between a store and this machine."""
    if total >= LONG_TRANSFER_BYTES:
        # The last line is always logged: otherwise a log would end with an earlier one.
        show = info if done >= total else progress
        show(f"{size(done)} of {size(total)} transferred")


def duration(seconds: float) -> str:
    """`m:ss`, or `h:mm:ss` from an hour on."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
