"""Finds what texts copy from the training text: the share of runs of characters, and the longest copied passage.

The texts' runs are hashed and sorted, and the training text's are looked up among them a chunk at a time. So besides
the training text itself memory grows with the texts judged, and with the places that their longest runs have in the
training text, of which the first MAXIMUM_PLACES are looked at.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.artifacts.vocabulary import code_points
from components.command import log
from components.generator.passages import chunks_of_hashes, is_among, run_hashes

LENGTHS = (4, 8, 16, 32)
MAXIMUM_PLACES = 10_000_000
"""At how many places of the training text the longest passage is looked for; each takes about 50 bytes."""
SURROUNDING_CHARACTERS = 40
_SIEVE_BITS = 22
_PAIRED = np.uint64(0xD6E8FEB86659FD93)


@dataclass(frozen=True, kw_only=True)
class Passage:
    """The longest passage that some texts copy from the training text.

    Attributes:
        characters: how long it is.
        text, at: the text that contains it, and the index of its first character there.
        place: the index of its first character in the training text.
        passage, before, after: the passage, and what surrounds it in the training text.
    """

    characters: int
    text: int
    at: int
    place: int
    passage: str
    before: str
    after: str

    def as_dict(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)


Copied = tuple[Mapping[int, float | None], Passage | None]
"""The share of some texts' runs of each of LENGTHS that are in the training text (None without a run), and the longest
passage (None if it is shorter than all of LENGTHS)."""


@dataclass(frozen=True, kw_only=True)
class _Runs:
    """Runs of one length: their indices, ascending, and hashes, [N] each."""

    places: NDArray[np.int64]
    hashes: NDArray[np.uint64]

    @classmethod
    def of(cls, texts: Sequence[str], length: int) -> "_Runs":
        """All runs of the texts; gaps between the texts' indices keep runs from crossing from one to the next."""
        spacing = _spacing(texts)
        hashes = [run_hashes(code_points(text), length) for text in texts]
        places = [np.arange(len(part), dtype=np.int64) + number * spacing for number, part in enumerate(hashes)]
        return cls(
            places=np.concatenate([np.empty(0, np.int64), *places]),
            hashes=np.concatenate([np.empty(0, np.uint64), *hashes]),
        )

    def kept(self, which: NDArray[np.bool_]) -> "_Runs":
        return _Runs(places=self.places[which], hashes=self.hashes[which])

    def longer(self, by: int) -> "_Runs":
        """The runs that are `by` longer, at most twice as long: those with a run at their index and `by` after it."""
        if not len(self.places):
            return self
        others = np.minimum(np.searchsorted(self.places, self.places + by), len(self.places) - 1)
        both = self.places[others] == self.places + by
        paired = self.hashes * _PAIRED + self.hashes[others]
        return _Runs(places=self.places[both], hashes=(paired ^ (paired >> np.uint64(29)))[both])


class TrainingText:
    """The training text, to look for copies in."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._points = code_points(text)

    def copied(self, texts: Sequence[str]) -> Copied:
        """What some texts copy from this text."""
        return self.copied_each([texts])[0]

    def copied_each(self, groups: Sequence[Sequence[str]]) -> list[Copied]:
        """The same for several groups of texts; this text is read once per length and not once per group."""
        shares: list[dict[int, float | None]] = [{} for _ in groups]
        longest: list[tuple[int, _Runs]] = [(0, _Runs.of([], 1))] * len(groups)
        for length in LENGTHS:
            runs = [_Runs.of(texts, length) for texts in groups]
            known = _hashes_of(runs)
            is_here = np.zeros(len(known), bool)
            for _, found in self._matches(known, length):
                is_here[found] = True
            for number, one in enumerate(runs):
                which = is_here[np.searchsorted(known, one.hashes)]
                shares[number][length] = float(which.mean()) if len(which) else None
                if which.any():
                    longest[number] = length, one.kept(which)
        here = {
            length: self._here(_hashes_of([runs for other, runs in longest if other == length]), length)
            for length in {length for length, _ in longest if length}
        }
        return [
            (share, self._passage(texts, length, runs, here[length]) if length else None)
            for texts, share, (length, runs) in zip(groups, shares, longest, strict=True)
        ]

    def _matches(self, known: NDArray[np.uint64], length: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """The indices of the runs here that are among sorted hashes [K], ascending, each with the hash's index."""
        # Most runs are not: a sieve over a few bits excludes them faster than a search.
        sieve = np.zeros(1 << _SIEVE_BITS, bool)
        shift = np.uint64(64 - _SIEVE_BITS)
        sieve[known >> shift] = True
        pace = log.Pace()
        for begin, hashes in chunks_of_hashes(self._points, length):
            pace.progress(f"copies of {length} characters: {begin:,}/{len(self._points):,} of the training text read")
            left = np.flatnonzero(sieve[hashes >> shift])
            found = np.minimum(np.searchsorted(known, hashes[left]), len(known) - 1)
            is_match = known[found] == hashes[left] if len(known) else np.zeros(0, bool)
            yield left[is_match] + begin, found[is_match]

    def _here(self, known: NDArray[np.uint64], length: int) -> _Runs:
        """The runs here that are among sorted hashes [K], the first MAXIMUM_PLACES of them or some more."""
        places, found, count = [np.empty(0, np.int64)], [np.empty(0, np.int64)], 0
        for some, which in self._matches(known, length):
            places.append(some)
            found.append(which)
            count += len(some)
            if count >= MAXIMUM_PLACES:
                log.warning(
                    f"runs of {length} characters are at more than {MAXIMUM_PLACES:,} places of the training text: "
                    f"the longest copied passage is looked for in its first {int(some[-1]):,} characters alone"
                )
                break
        return _Runs(places=np.concatenate(places), hashes=known[np.concatenate(found)])

    def _passage(self, texts: Sequence[str], length: int, in_texts: _Runs, here: _Runs) -> Passage | None:
        """The longest passage, from the texts' runs of `length` that are here, and their indices."""
        runs = longer = in_texts.kept(is_among(in_texts.hashes, np.unique(here.hashes))), here
        if not len(runs[0].places):  # those of other texts stood at all places that are looked at
            return None
        by = 0
        while len(longer[0].places):
            runs, length = longer, length + by
            by = length
            longer = _longer_in_common(runs, by)
        low, high = 0, by  # there are common runs that are `low` longer, but none that are `high` longer
        while high - low > 1:
            middle = (low + high) // 2
            exists = len(_longer_in_common(runs, middle)[0].places) > 0
            low, high = (middle, high) if exists else (low, middle)
        return self._described(texts, length + low, *(_longer_in_common(runs, low) if low else runs))

    def _described(self, texts: Sequence[str], length: int, in_texts: _Runs, here: _Runs) -> Passage:
        first = in_texts.places[0]
        text, at = divmod(int(first), _spacing(texts))
        place = int(here.places[here.hashes == in_texts.hashes[0]][0])
        return Passage(
            characters=length,
            text=text,
            at=at,
            place=place,
            passage=self._text[place : place + length],
            before=self._text[max(place - SURROUNDING_CHARACTERS, 0) : place],
            after=self._text[place + length : place + length + SURROUNDING_CHARACTERS],
        )


def _hashes_of(runs: Sequence[_Runs]) -> NDArray[np.uint64]:
    """The different hashes of all these runs, sorted."""
    return np.unique(np.concatenate([one.hashes for one in runs]))


def _spacing(texts: Sequence[str]) -> int:
    return 2 * max(map(len, texts), default=0) + 1


def _longer_in_common(runs: tuple[_Runs, _Runs], by: int) -> tuple[_Runs, _Runs]:
    """The runs of two texts that are `by` longer and still in both."""
    one, other = (part.longer(by) for part in runs)
    return (
        one.kept(is_among(one.hashes, np.unique(other.hashes))),
        other.kept(is_among(other.hashes, np.unique(one.hashes))),
    )
