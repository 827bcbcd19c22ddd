"""What ends a text before it has its full length: a document's end, or a string."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Ended = Literal["end", "stop", "length"]
"""What a text ended by: the end of a document, a string to stop at, or neither, so that its length was reached."""


@dataclass(frozen=True, kw_only=True)
class Ending:
    """Ends a text after the token `end` (-1 for none), or after one of the strings `stop`.

    `tokens` are the texts of all tokens, by id.
    """

    end: int = -1
    stop: tuple[str, ...] = ()
    tokens: Sequence[str] = ()

    @property
    def is_possible(self) -> bool:
        """Whether a text may end before it has its full length."""
        return self.end >= 0 or bool(self.stop)

    def place(self, ids: NDArray[np.integer], new: int) -> tuple[int, Ended] | None:
        """How many of ids [T] a text has that ends in them, and what ended it; the ids before `new` did not end it."""
        ends = np.flatnonzero(ids[new:] == self.end)
        found: list[tuple[int, Ended]] = [(new + int(ends[0]) + 1, "end")] if len(ends) else []
        if self.stop:
            first = max(new - max(map(len, self.stop)), 0)  # a string may begin in what was there before
            texts = [self.tokens[index] for index in ids[first:]]
            text, reached = "".join(texts), np.cumsum([len(one) for one in texts])
            after = [at + len(string) for string in self.stop if (at := text.find(string)) >= 0]
            if after:
                found.append((first + int(np.searchsorted(reached, min(after))) + 1, "stop"))
        return min(found, default=None)
