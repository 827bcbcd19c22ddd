"""What a text must not contain, looked for as the text grows.

Passages of a corpus, counted from the prompt's end; or runs of characters that the text has already, the part of its
prompt that is read included.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from components.artifacts.vocabulary import code_points
from components.generator.passages import Passages


class Refused(Protocol):
    """What one text must not contain, and what it has so far."""

    setting: str
    reason: str

    def first(self, new: str) -> int:
        """The index of the first character of `new` that would complete it, or the length of `new`."""
        ...

    def take(self, new: str) -> None:
        """Note that the text continues with `new`."""
        ...


Refusal = Callable[[str], Refused]
"""Begins to watch a text after the part of its prompt that is read."""


class Copies:
    """A passage of a corpus."""

    setting = "sample.no_copy"

    def __init__(self, passages: Passages, _prompt: str) -> None:
        self._passages = passages
        self._tail = ""
        self.reason = f"a passage of the corpus of more than {passages.length - 1} characters"

    def first(self, new: str) -> int:
        """The index of the first character of `new` that would complete one, or the length of `new`."""
        found = self._passages.found_in(code_points(self._tail + new))
        held = np.flatnonzero(found)
        return len(new) - len(found) + int(held[0]) if len(held) else len(new)

    def take(self, new: str) -> None:
        """Note that the text continues with `new`."""
        self._tail = _end(self._tail + new, self._passages.length - 1)


class Repeats:
    """A run of so many characters that the text has already."""

    setting = "sample.no_repeat"

    def __init__(self, length: int, prompt: str) -> None:
        self._length = length
        self._seen: set[str] = set()
        self._tail = ""
        self.reason = f"a run of {length} characters that the text has already"
        self.take(prompt)

    def first(self, new: str) -> int:
        """The index of the first character of `new` that would complete one, or the length of `new`."""
        runs = _runs(self._tail + new, self._length)
        among: set[str] = set()
        for place, run in enumerate(runs):
            if run in self._seen or run in among:
                return len(new) - len(runs) + place
            among.add(run)
        return len(new)

    def take(self, new: str) -> None:
        """Note that the text continues with `new`."""
        self._seen.update(_runs(self._tail + new, self._length))
        self._tail = _end(self._tail + new, self._length - 1)


def _runs(text: str, length: int) -> Sequence[str]:
    return [text[place : place + length] for place in range(len(text) - length + 1)]


def _end(text: str, length: int) -> str:
    return text[len(text) - length :] if length < len(text) else text
