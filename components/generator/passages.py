"""Finds passages of one text in another, by the hash of each run of characters of one length.

A hash has 64 bits: among a hundred million characters and as many searched for, a run is mistaken for another in one
of two thousand such searches. A text is an array of code points, so an index in an array is a character of the text.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

CHUNK_CHARACTERS = 1 << 18  # all hashes of a chunk fit into a core's cache
_BASE = 0x9E3779B97F4A7C15
_WORD = 1 << 64


def run_hashes(points: NDArray[np.uint32], length: int) -> NDArray[np.uint64]:
    """The hash of each run of `length` code points: from uint32 [characters] to uint64 [characters - length + 1].

    A run's hash is a polynomial in its mixed code points modulo 2**64 (Karp and Rabin, 1987), and that of two
    adjacent runs follows from theirs, so the hashes of 2, 4, 8, ... characters combine to those of any length.
    """
    count = len(points) - length + 1
    if count <= 0:
        return np.empty(0, np.uint64)
    doubled, size = _mixed(points), 1  # hashes of `size` characters
    hashes, covered = np.zeros(count, np.uint64), 0  # and of the first `covered` of each run
    while True:
        if length & size:
            hashes *= np.uint64(pow(_BASE, size, _WORD))
            hashes += doubled[covered : covered + count]
            covered += size
        if covered == length:
            return hashes
        doubled = doubled[:-size] * np.uint64(pow(_BASE, size, _WORD)) + doubled[size:]
        size *= 2


def chunks_of_hashes(points: NDArray[np.uint32], length: int) -> Iterator[tuple[int, NDArray[np.uint64]]]:
    """As `run_hashes`, for a long text in chunks, each with the index of its first run."""
    for begin in range(0, len(points) - length + 1, CHUNK_CHARACTERS):
        yield begin, run_hashes(points[begin : begin + CHUNK_CHARACTERS + length - 1], length)


class Passages:
    """The runs of `length` characters of some texts; 8 bytes per character.

    Args:
        texts: code points of each, uint32 [characters].
        length: characters per run.
    """

    def __init__(self, texts: Sequence[NDArray[np.uint32]], length: int) -> None:
        self.length = length
        self._hashes = np.empty(sum(max(len(points) - length + 1, 0) for points in texts), np.uint64)
        filled = 0
        for points in texts:
            for _, hashes in chunks_of_hashes(points, length):
                self._hashes[filled : filled + len(hashes)] = hashes
                filled += len(hashes)
        self._hashes.sort()

    def found_in(self, points: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Which runs of a text, uint32 [characters], are among these: [characters - length + 1]."""
        return is_among(run_hashes(points, self.length), self._hashes)


def is_among(hashes: NDArray[np.uint64], known: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which hashes [N] are among sorted known ones [K]."""
    if not len(known):
        return np.zeros(len(hashes), bool)
    places = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    found: NDArray[np.bool_] = known[places] == hashes
    return found


def _mixed(points: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """Each code point as 64 bits that look random (Steele, Lea and Flood's SplitMix64, 2014)."""
    bits = (points.astype(np.uint64) + np.uint64(1)) * np.uint64(_BASE)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))
