"""Cuts a text into documents while it streams by, for text.txt and documents.txt."""

import re
from collections.abc import Iterable, Iterator
from typing import IO

from components.artifacts.documents import END
from components.ingest.statistics import KEPT_OF_A_LINE, CorpusStatistics

_BLANK_LINES = re.compile(r"\n(?:[^\S\n]*\n)+")
_UNDECIDED = re.compile(r"\n\s*\Z")
_MOST_HELD = 1 << 16
"""How much white space is held back until it is known what follows: memory must not grow with it."""


def ended_by_blank_lines(pieces: Iterable[str]) -> Iterator[str]:
    """The pieces of a text with END in place of each run of blank lines."""
    held = ""  # a newline and white space, which a blank line may follow
    for piece in pieces:
        text = _BLANK_LINES.sub(END, held + piece)
        undecided = _UNDECIDED.search(text)
        cut = undecided.start() if undecided else len(text)
        held = text[cut:] if len(text) - cut < _MOST_HELD else END  # a line of so much white space is blank
        yield text[:cut]
    yield held


class DocumentWriter:
    """Writes documents' lengths to a file, and passes their text on as it is in text.txt.

    Blank lines before a document and white space after it are dropped, and so are documents without any other text.

    Args:
        file: documents.txt.
        statistics: documents are counted there, if that is their unit.

    Attributes:
        count: how many documents have ended.
    """

    def __init__(self, file: IO[str], statistics: CorpusStatistics) -> None:
        self.count = 0
        self._file, self._statistics = file, statistics
        self._length = 0
        self._held = ""  # white space after which the document may end
        self._beginning = ""

    def pieces(self, marked: Iterable[str]) -> Iterator[str]:
        """The pieces of a text whose documents end with END, the last one also without; with a newline after each."""
        for piece in marked:
            *ended, rest = piece.split(END)
            parts = [part for text in ended for part in (self._added(text), self._end())]
            yield "".join([*parts, self._added(rest)])
        yield self._end()

    def _added(self, text: str) -> str:
        text = self._held + text
        if not self._length:
            blank = text[: len(text) - len(text.lstrip())]
            text = text[blank.rfind("\n") + 1 :]
        kept = text.rstrip()
        self._held = text[len(kept) :]
        if len(self._held) > _MOST_HELD:
            kept, self._held = (text if kept or self._length else ""), ""
        self._length += len(kept)
        self._beginning = (self._beginning + kept)[:KEPT_OF_A_LINE]
        return kept

    def _end(self) -> str:
        length, beginning = self._length, self._beginning
        self._length, self._held, self._beginning = 0, "", ""
        if not length:
            return ""
        self.count += 1
        self._file.write(f"{length}\n")
        if self._statistics.unit == "documents":
            self._statistics.add_message(beginning, length)
        return "\n"
