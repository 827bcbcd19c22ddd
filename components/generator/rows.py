"""Texts while they are written, each in a row of a tile."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.generator.ending import Ended, Ending
from components.generator.randomness import redraw_stream, uniform_stream

CHOOSE = -1  # among given tokens: a token to be chosen


@dataclass(frozen=True, kw_only=True)
class Request:
    """A text to write: its id (the key of its random numbers), its prompt's token ids, and its temperature.

    The first token that is written begins with `begun`, the end of the prompt.
    """

    id: int
    prompt: NDArray[np.integer]
    temperature: float
    begun: str = ""


@dataclass(frozen=True, kw_only=True)
class Text:
    """The text written after a prompt: token ids [T], the network's nats for each at temperature 1, and their mean.

    `ended` says what it ended by; the end of a document is its last token.
    """

    ids: NDArray[np.int32]
    nats: NDArray[np.float32]
    nats_per_token: float
    ended: Ended


class Row:
    """A text in a row: what of it is read and written so far.

    Args:
        place: the request's among all requests.
        request: the text to write.
        read: the part of its prompt that is read.
        length: the most tokens to write.
        seed: of its random numbers.

    Attributes:
        begun: see `Request`.
        again: random numbers for tokens that are drawn again.
        kept: what a writer knows of the text besides; at first None.
    """

    def __init__(self, place: int, request: Request, read: NDArray[np.integer], *, length: int, seed: int) -> None:
        self.place, self.temperature, self.begun = place, request.temperature, request.begun
        self.again = redraw_stream(seed, request.id)
        self.kept: Any = None
        self._given = np.concatenate([read, np.full(length, CHOOSE)]).astype(np.int32)
        self._uniforms = np.concatenate([np.zeros(len(read), np.float32), uniform_stream(seed, request.id, length)])
        self._read = len(read)
        self._at = 0
        self._ids = np.empty(length, np.int32)
        self._nats = np.empty(length, np.float32)

    @property
    def left(self) -> int:
        """How many tokens are still to be read or written."""
        return len(self._given) - self._at

    @property
    def prompt(self) -> NDArray[np.int32]:
        """The part of the prompt that is read."""
        return self._given[: self._read]

    @property
    def written(self) -> NDArray[np.int32]:
        """The ids written so far."""
        return self._ids[: max(self._at - self._read, 0)]

    def next(self, count: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The given ids and the random numbers of the next `count` tokens, or of all that are left."""
        part = slice(self._at, self._at + count)
        return self._given[part], self._uniforms[part]

    def take(self, ids: NDArray[np.int32], nats: NDArray[np.float32], ending: Ending) -> Text | None:
        """Take the next tokens, of which the text may need only the first ones; the whole text, if it has ended."""
        before, count = len(self.written), min(len(ids), self.left)
        read = min(max(self._read - self._at, 0), count)
        self._at += count
        new = slice(before, before + count - read)
        self._ids[new], self._nats[new] = ids[read:count], nats[read:count]
        found = ending.place(self.written, before)
        if found is None and self.left:
            return None
        end, ended = found or (len(self.written), "length")
        kept = self._nats[:end]
        # One after the other, as on the device: NumPy's sum would round differently.
        mean = float(np.cumsum(kept, dtype=np.float32)[-1]) / end
        return Text(ids=self._ids[:end].copy(), nats=kept.copy(), nats_per_token=mean, ended=ended)


@dataclass(frozen=True, kw_only=True)
class Tile:
    """The next C tokens of R texts that are written side by side.

    Attributes:
        given: ids that are read, or CHOOSE, int32 [C, R].
        uniforms: see `strategies.choose`, float32 [C, R].
        temperatures: float32 [R].
        rows: the texts; None for an empty row.
    """

    given: NDArray[np.int32]
    uniforms: NDArray[np.float32]
    temperatures: NDArray[np.float32]
    rows: Sequence[Row | None]

    @classmethod
    def of(cls, rows: Sequence[Row | None], most: int) -> "Tile":
        """The next tokens of some texts, at least one of them there: as many as the longest needs, at most `most`."""
        count = min(max(row.left for row in rows if row), most)
        given, uniforms = np.zeros((count, len(rows)), np.int32), np.zeros((count, len(rows)), np.float32)
        for number, row in _there(rows):
            ids, numbers = row.next(count)
            given[: len(ids), number], uniforms[: len(ids), number] = ids, numbers
        temperatures = np.array([row.temperature if row else 0 for row in rows], np.float32)
        return cls(given=given, uniforms=uniforms, temperatures=temperatures, rows=rows)

    def part(self, rows: slice) -> "Tile":
        """A tile of some of its rows."""
        return Tile(
            given=self.given[:, rows],
            uniforms=self.uniforms[:, rows],
            temperatures=self.temperatures[rows],
            rows=self.rows[rows],
        )


def _there(rows: Sequence[Row | None]) -> Iterator[tuple[int, Row]]:
    return ((number, row) for number, row in enumerate(rows) if row is not None)
