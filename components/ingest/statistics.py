"""What is in a corpus, counted while it streams by."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FIRST_MESSAGES = 10
LONGEST_SHOWN = 400


def _no_counts() -> NDArray[np.int64]:
    return np.zeros(0x110000, np.int64)


@dataclass
class CorpusStatistics:
    """Counts of a corpus: by character (int64 [code points]), of messages or lines, and by user."""

    by_code_point: NDArray[np.int64] = field(default_factory=_no_counts)
    messages: int = 0
    users: Counter[str] = field(default_factory=Counter)
    first: list[str] = field(default_factory=list)
    replaced: int = 0

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

    def add_message(self, text: str) -> None:
        """Count one message (of plain text: one line that is not blank)."""
        self.messages += 1
        if len(self.first) < FIRST_MESSAGES:
            self.first.append(text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]} ...")

    def most_frequent(self, limit: int) -> list[tuple[str, int]]:
        """The `limit` most frequent characters with their counts, most frequent first."""
        order = np.argsort(-self.by_code_point, kind="stable")[:limit]
        return [(chr(point), int(self.by_code_point[point])) for point in order if self.by_code_point[point]]
