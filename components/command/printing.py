r"""Printing: all output goes through here, so that no control code in people's text reaches the terminal.

Names of files, users and columns, texts, manifests and servers' responses may hold control codes. They are shown as
escapes such as `\x1b`, and so are characters that the output's encoding lacks. If the reader of the output goes away,
the program ends quietly with exit code 141.
"""

import errno
import os
import re
import sys
from contextlib import suppress
from typing import Literal, TextIO

from components.artifacts.errors import QuillflowError

Colour = Literal["red", "yellow", "green", "soft"]
READER_LEFT = 141
"""The exit code of a program whose reader went away, as in shells."""
_CODES: dict[Colour, str] = {"red": "31", "yellow": "33", "green": "32", "soft": "2"}
# Control codes, also of eight bits; marks that reverse the text next to them; halves of surrogate pairs.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_OBEYED_IN_A_LINE = re.compile(_OBEYED.pattern.replace("[", "[\n", 1))
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def visible(text: str, *, one_line: bool = False) -> str:
    """The text with control codes as visible escapes; for `one_line` newlines too."""
    return (_OBEYED_IN_A_LINE if one_line else _OBEYED).sub(_escaped, text)


def without_colours(text: str) -> str:
    """Another program's output without its colours."""
    return _COLOURS.sub("", text)


def write(text: str, stream: TextIO | None = None, *, colour: Colour | None = None) -> None:
    """Print `visible` text on standard output or another stream, in a colour if that is a terminal.

    Raises:
        SystemExit: 141, the reader of standard output has gone away, as `head` does.
        QuillflowError: the output can't be written.
    """
    stream = sys.stdout if stream is None else stream
    if text:
        put(paint(visible(text), colour, stream) if colour else visible(text), stream)


def paint(text: str, colour: Colour, stream: TextIO) -> str:
    """The text in a colour, if `stream` is a terminal and NO_COLOR is not set."""
    if not is_terminal(stream) or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{_CODES[colour]}m{text}\x1b[0m"


def is_terminal(stream: TextIO) -> bool:
    """Whether a stream is a terminal that can rewrite lines and show colours."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def erase(lines: int, stream: TextIO) -> None:
    """Erase the last lines of a terminal."""
    put(f"\x1b[{lines}A\x1b[J" if lines else "", stream)


def put(text: str, stream: TextIO, *, relayed: bool = False) -> None:
    """Write text unchanged, including our own codes; raises as `write`.

    If standard error fails it stays quiet from then on, unless a run `relayed` the text: the run has ended then.
    """
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except OSError as error:
        _leave(stream)
        if stream is sys.stderr and not relayed:  # training is worth more than its output
            return
        if error.errno == errno.EPIPE and (stream is sys.stdout or relayed):
            raise SystemExit(READER_LEFT) from None
        place = "standard output" if stream is sys.stdout else getattr(stream, "name", "the output")
        raise QuillflowError(f"{place}: {error.strerror}") from None


def open_standard_streams() -> None:
    """Open closed standard streams: otherwise the next opened file would receive what is printed."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape", "backslashreplace").decode("ascii")


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 -- for as long as the process lives


def _leave(stream: TextIO) -> None:
    """Discard the rest of a stream: otherwise Python would fail on it again at exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
