"""Writing without what must not be written: passages of a corpus, or runs of characters that the text has already.

Nor is anything written that does not continue a prompt that ends within a token: its row begins with refusals.

A token that would complete such a passage is refused, and another one is drawn from the rest, with random numbers of
the text's own. So every token is drawn by the strategy from all tokens that are not refused, and a text depends only on
its seed, id, prompt, settings and corpus.

Refusals are rare, so a chunk of tokens is written in one call as without any, and then looked at. From the first
refused token of a row on the row is written again; the rows beside it, and what it read before, keep their bits.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.artifacts.errors import UsageError
from components.artifacts.tensorflow import tf
from components.artifacts.vocabulary import Vocabulary
from components.generator.next_token import NextToken
from components.generator.refused import Refusal, Refused
from components.generator.rows import CHOOSE, Row, Tile
from components.generator.writing import Tiling, Writer

_SHOWN = 40  # characters of a text in an error


@dataclass(kw_only=True)
class _Text:
    """A row's text: what it must not contain, the random numbers of tokens drawn again, and its last characters."""

    refused: Sequence[Refused]
    again: Iterator[np.float32]
    end: str = ""

    def first(self, new: str) -> int:
        """The index of the first character of `new` that is refused, or the length of `new`."""
        return min((one.first(new) for one in self.refused), default=len(new))

    def take(self, new: str) -> None:
        """Note that the text continues with `new`."""
        self.end = (self.end + new)[-_SHOWN:]
        for one in self.refused:
            one.take(new)

    def why(self, new: str) -> str:
        """Why the text can't be continued after `new`."""
        settings, reasons = (
            " or ".join(words) for words in zip(*((one.setting, one.reason) for one in self.refused), strict=True)
        )
        return (
            f"{settings}: after {(self.end + new)[-_SHOWN:]!r} every token would complete {reasons}; "
            f"raise {'them' if len(self.refused) > 1 else settings}"
        )


class RefusingWriter(Writer):
    """As `Writer`, but writes nothing that `refusals` refuse, in tokens of `vocabulary`; options are Writer's.

    Raises, from `write`:
        UsageError: a text can't be continued, since every token is refused.
    """

    def __init__(
        self,
        next_token: NextToken,
        *,
        refusals: Sequence[Refusal],
        vocabulary: Vocabulary,
        tiling: Tiling | None = None,
        **options: Any,
    ) -> None:
        tiling = tiling or Tiling.of_device()
        super().__init__(next_token, tiling=tiling, **options)
        self._refusals = refusals
        self._vocabulary = vocabulary
        self._barred: dict[str, NDArray[np.float32]] = {}
        self._refusing_loop = tf.function(self._write_refusing, autograph=False, jit_compile=tiling.compiled)

    def _advance(
        self, tile: Tile, states: Sequence[Any]
    ) -> tuple[NDArray[np.int32], NDArray[np.float32], Sequence[Any]]:
        """Write a tile's tokens, none of them refused: ids [C, R], the nats of each chosen one, and the new states."""
        part = _Part.of(tile, len(self._vocabulary))
        for number, row in enumerate(tile.rows):
            if row and row.begun and not len(row.written) and len(chosen := _chosen(tile, number)):
                part.places[number], part.refusals[number] = chosen[0], self._barred_by(row.begun)
        ids, nats, after = self._drawn(part, states)
        waiting = [number for number, row in enumerate(tile.rows) if row and self._refusals]
        while True:
            waiting = [number for number in waiting if self._refuse_first(part, number, ids[:, number])]
            if not waiting:
                break
            new_ids, new_nats, after = self._drawn(part, states)
            for number in waiting:  # what is before was given this time, and has its nats
                begin = part.places[number]
                ids[begin:, number], nats[begin:, number] = new_ids[begin:, number], new_nats[begin:, number]
        for number, row in enumerate(tile.rows):
            if row:
                new = self._new_of(row, tile, ids[:, number], number)
                self._text_of(row).take("".join(self._pieces(row, new)))
        return ids, nats, after

    def _text_of(self, row: Row) -> _Text:
        """A row's text, begun after the part of its prompt that is read."""
        if row.kept is None:
            prompt = "".join(self._vocabulary.text_of_each(row.prompt)) + row.begun
            row.kept = _Text(refused=[begin(prompt) for begin in self._refusals], again=row.again)
        kept: _Text = row.kept
        return kept

    def _new_of(self, row: Row, tile: Tile, ids: NDArray[np.int32], number: int) -> NDArray[np.int32]:
        """Those of a row's ids [C] that were chosen, up to where the text ends; what follows is no part of it."""
        chosen, before = ids[_chosen(tile, number)], row.written
        found = self.ending.place(np.concatenate([before, chosen]), len(before))
        return chosen[: found[0] - len(before)] if found else chosen

    def _refuse_first(self, part: "_Part", number: int, ids: NDArray[np.int32]) -> bool:
        """Look for the first refused token among a row's ids [C] that were chosen, and have another one drawn.

        Raises:
            UsageError: there is no other one.
        """
        row = part.tile.rows[number]
        if row is None:
            return False
        text, new = self._text_of(row), self._new_of(row, part.tile, ids, number)
        pieces = self._pieces(row, new)
        first = text.first("".join(pieces))
        place = int(np.searchsorted(np.cumsum([len(piece) for piece in pieces]), first, side="right"))
        if place == len(new):
            return False
        part.refuse(number, int(_chosen(part.tile, number)[place]), ids, next(text.again))
        if np.isneginf(part.refusals[number]).sum() + len(self._forbidden) == len(self._vocabulary):
            raise UsageError(text.why("".join(pieces[:place])))
        return True

    def _pieces(self, row: Row, new: NDArray[np.int32]) -> list[str]:
        """What each of a row's new ids adds to its text."""
        pieces = self._vocabulary.text_of_each(new, row.written)
        if pieces and not len(row.written):
            pieces[0] = pieces[0].removeprefix(row.begun)
        return pieces

    def _barred_by(self, begun: str) -> NDArray[np.float32]:
        """What is added to logits [V] so that a token begins with `begun`: 0 or -inf."""
        if begun not in self._barred:
            begins = [token.startswith(begun) for token in self._vocabulary.tokens]
            self._barred[begun] = np.where(begins, np.float32(0), np.float32(-np.inf))
        return self._barred[begun]

    def _drawn(
        self, part: "_Part", states: Sequence[Any]
    ) -> tuple[NDArray[np.int32], NDArray[np.float32], Sequence[Any]]:
        """A part as the compiled loop writes it: ids [C, R], nats [C, R], and the states after them."""
        tile = replace(part.tile, given=part.given, uniforms=part.uniforms)
        return self._called(self._refusing_loop, tile, states, part.refusals, part.places)

    def _write_refusing(
        self, given: Any, uniforms: Any, temperatures: Any, count: Any, states: Any, refusals: Any, places: Any
    ) -> tuple[Any, Any, Any]:
        """As `_write_chunk`, with float32 refusals [R, V] of 0 or -inf at each row's place, int32 [R]."""

        def allowed(position: Any, logits: Any) -> Any:
            return tf.where((places == position)[:, None], logits + refusals, logits)

        return self._write_chunk(given, uniforms, temperatures, count, states, allowed)


@dataclass(frozen=True, kw_only=True)
class _Part:
    """A tile, and what is refused in it.

    Attributes:
        tile: as it was to be written.
        given, uniforms: as the tile's, [C, R], but with tokens that are kept and numbers drawn again.
        places: where a token of each row is refused, int32 [R]; -1 for nowhere.
        refusals: the tokens refused there, float32 [R, V] of 0 or -inf.
    """

    tile: Tile
    given: NDArray[np.int32]
    uniforms: NDArray[np.float32]
    places: NDArray[np.int32]
    refusals: NDArray[np.float32]

    @classmethod
    def of(cls, tile: Tile, vocabulary: int) -> "_Part":
        """A tile with nothing refused yet."""
        return cls(
            tile=tile,
            given=tile.given.copy(),
            uniforms=tile.uniforms.copy(),
            places=np.full(len(tile.rows), -1, np.int32),
            refusals=np.zeros((len(tile.rows), vocabulary), np.float32),
        )

    def refuse(self, row: int, place: int, ids: NDArray[np.int32], uniform: np.float32) -> None:
        """Refuse the token at a row's place, whose ids [C] before it stay, and draw there with another number."""
        if self.places[row] != place:
            self.places[row], self.refusals[row] = place, 0
            self.given[:place, row] = ids[:place]
        self.refusals[row, ids[place]] = -np.inf
        self.uniforms[place, row] = uniform


def _chosen(tile: Tile, row: int) -> NDArray[np.intp]:
    """The positions of a row where a token is chosen."""
    return np.flatnonzero(tile.given[:, row] == CHOOSE)
