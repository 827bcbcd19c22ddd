"""Statistics of a corpus, counted while it streams by."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FIRST_MESSAGES = 10
LONGEST_SHOWN = 400
KEPT_OF_A_LINE = 1000
"""How much of a line is kept in order to show it; the rest is only counted."""


def _no_counts() -> NDArray[np.int64]:
    return np.zeros(0x110000, np.int64)


@dataclass
class Distinct:
    """Counts different messages in bounded memory: exactly up to 65,536, beyond that to within about half a percent.

    Of more than that it keeps those whose hash ends in enough zeros.
    """

    most: int = 1 << 16
    _ending: int = 0
    _kept: set[int] = field(default_factory=set)

    def add(self, text: str, length: int) -> None:
        """Count a message by its beginning and its length in characters."""
        data = f"{length} {text}".encode()
        number = int.from_bytes(hashlib.blake2b(data, digest_size=8).digest())
        if not number & self._ending:
            self._kept.add(number)
            while len(self._kept) > self.most:
                self._ending = self._ending * 2 + 1
                self._kept = {kept for kept in self._kept if not kept & self._ending}

    @property
    def count(self) -> int:
        """How many different messages there were."""
        return len(self._kept) * (self._ending + 1)


@dataclass
class CorpusStatistics:
    """Counts of a corpus: by character (int64 [code points]), of messages, documents or lines, and by user.

    `unit` says which; in plain text without documents, lines that are not blank are counted. `by_length` counts them
    by the binary digits of their length: 1, 2 to 3, 4 to 7 characters and so on. `distinct` counts different ones, if
    set. `stripped` counts the characters of the source that were left out.
    """

    unit: Literal["messages", "documents", "lines"] = "lines"
    by_code_point: NDArray[np.int64] = field(default_factory=_no_counts)
    messages: int = 0
    by_length: Counter[int] = field(default_factory=Counter)
    longest: int = 0
    users: Counter[str] = field(default_factory=Counter)
    first: list[str] = field(default_factory=list)
    replaced: int = 0
    stripped: int = 0
    distinct: Distinct | None = None

    @property
    def repeats(self) -> float:
        """The share of messages that repeat an earlier one; 0 if different ones were not counted."""
        return max(0.0, 1 - self.distinct.count / self.messages) if self.distinct and self.messages else 0.0

    @property
    def characters(self) -> int:
        """How many characters the corpus has."""
        return int(self.by_code_point.sum())

    @property
    def distinct_characters(self) -> int:
        """How many different characters the corpus has."""
        return int(np.count_nonzero(self.by_code_point))

    def add_text(self, text: str) -> None:
        """Count the characters of a piece of the corpus."""
        points = np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
        counts = np.bincount(points)
        self.by_code_point[: len(counts)] += counts

    def add_message(self, text: str, length: int | None = None) -> None:
        """Count a message (or a document, or a line of plain text that is not blank) of `length` characters.

        Without `length`, `text` is the whole message, otherwise its beginning.
        """
        length = len(text) if length is None else length
        self.messages += 1
        self.by_length[length.bit_length()] += 1
        self.longest = max(self.longest, length)
        if self.distinct is not None:
            self.distinct.add(text[:KEPT_OF_A_LINE], length)
        if len(self.first) < FIRST_MESSAGES:
            self.first.append(text if length <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]} ...")

    def lengths(self) -> list[tuple[int, int]]:
        """Lengths in characters, each a power of two, with the number of messages from this length up to the next."""
        if not self.by_length:
            return []
        digits = range(min(self.by_length), max(self.by_length) + 1)
        return [((1 << count) >> 1, self.by_length[count]) for count in digits]

    def most_frequent(self, limit: int) -> list[tuple[str, int]]:
        """The `limit` most frequent characters with their counts, most frequent first."""
        order = np.argsort(-self.by_code_point, kind="stable")[:limit]
        return [(chr(point), int(self.by_code_point[point])) for point in order if self.by_code_point[point]]
