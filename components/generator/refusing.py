"""Writing without what must not be written: passages of a corpus, or runs of characters that the text has already.

A token that would complete one is refused, and another one is drawn from the rest, with random numbers of the text's
own. So every token is drawn by the strategy from all tokens that are not refused, and a text depends only on its seed,
id, prompt, settings and corpus.

Refusals are rare, so a chunk of tokens is written in one call as without any, and then looked at. From the first
refused token of a row on the row is written again; the rows beside it, and what it read before, keep their bits.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.artifacts.errors import UsageError
from components.artifacts.tensorflow import tf
from components.artifacts.vocabulary import Vocabulary
from components.generator.next_token import NextToken
from components.generator.refused import Refusal, Refused
from components.generator.writing import CHOOSE, CHUNK, Tile, Tiling, Writer

_SHOWN = 40  # characters of a text in an error


@dataclass(kw_only=True)
class _Text:
    """A row's text: what it must not contain, the random numbers of tokens drawn again, and its last characters."""

    refused: Sequence[Refused]
    again: Iterator[np.float32]
    end: str = ""

    def first(self, new: str) -> int:
        """The index of the first character of `new` that is refused, or the length of `new`."""
        return min(one.first(new) for one in self.refused)

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
        self._tokens = vocabulary.tokens
        self._lengths = np.array([len(token) for token in vocabulary.tokens])
        self._refusing_loop = tf.function(self._write_refusing, autograph=False, jit_compile=tiling.compiled)

    def _write_given(self, tile: Tile) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]:
        """A whole tile, part by part: ids [T, R], nats [T, R] and their sums [R]."""
        states, written = self._next_token.zero_states(tile.rows), []
        texts = {row: self._begun(tile, row) for row in np.flatnonzero((tile.given == CHOOSE).any(axis=0)).tolist()}
        for begin in range(0, len(tile.given), CHUNK):
            part = _Part.of(tile, begin, len(self._tokens))
            ids, nats, states = self._write_part(part, states, texts)
            written.append((ids, nats))
        all_ids, all_nats = (np.concatenate(arrays) for arrays in zip(*written, strict=True))
        # One after the other, as on the device: NumPy's sum would round differently.
        return all_ids, all_nats, np.cumsum(all_nats, axis=0, dtype=np.float32)[-1]

    def _begun(self, tile: Tile, row: int) -> _Text:
        """A row's text after the part of its prompt that is read."""
        given = tile.given[:, row]
        prompt = "".join(self._tokens[index] for index in given[: np.argmax(given == CHOOSE)])
        return _Text(refused=[begin(prompt) for begin in self._refusals], again=_redraws(tile.seed, tile.texts[row]))

    def _write_part(
        self, part: "_Part", states: Any, texts: Mapping[int, _Text]
    ) -> tuple[NDArray[np.int32], NDArray[np.float32], Any]:
        """The next tokens of a tile, none of them refused: ids [C, R], nats [C, R], and the states after them."""
        chosen = {row: np.flatnonzero(part.given[:, row] == CHOOSE) for row in texts}
        ids, nats, after = self._called(part, states)
        waiting = list(texts)
        while True:
            waiting = [row for row in waiting if self._refuse_first(part, row, chosen[row], ids[:, row], texts[row])]
            if not waiting:
                break
            new_ids, new_nats, after = self._called(part, states)
            for row in waiting:  # what is before was given this time, and has its nats
                begin = part.places[row]
                ids[begin:, row], nats[begin:, row] = new_ids[begin:, row], new_nats[begin:, row]
        for row, text in texts.items():
            text.take(self._joined(ids[chosen[row], row]))
        return ids, nats, after

    def _refuse_first(
        self, part: "_Part", row: int, chosen: NDArray[np.intp], ids: NDArray[np.int32], text: _Text
    ) -> bool:
        """Look for the first refused token among a row's ids [C] that were chosen, and have another one drawn.

        Raises:
            UsageError: there is no other one.
        """
        first = text.first(self._joined(ids[chosen]))
        ends = np.cumsum(self._lengths[ids[chosen]])
        place = int(np.searchsorted(ends, first, side="right"))
        if place == len(chosen):
            return False
        part.refuse(row, int(chosen[place]), ids, next(text.again))
        if np.isneginf(part.refusals[row]).sum() + len(self._forbidden) == len(self._tokens):
            raise UsageError(text.why(self._joined(ids[chosen[:place]])))
        return True

    def _joined(self, ids: NDArray[np.int32]) -> str:
        return "".join(map(self._tokens.__getitem__, ids.tolist()))

    def _called(self, part: "_Part", states: Any) -> tuple[NDArray[np.int32], NDArray[np.float32], Any]:
        """A part as the compiled loop writes it: ids [C, R], nats [C, R], and the states after them."""
        count = len(part.given)
        padding = ((0, CHUNK - count), (0, 0))
        ids, nats, _, after = self._refusing_loop(
            tf.constant(np.pad(part.given, padding)),
            tf.constant(np.pad(part.uniforms, padding)),
            tf.constant(part.temperatures),
            tf.constant(count),
            states,
            tf.constant(part.refusals),
            tf.constant(part.places),
        )
        return ids.numpy()[:count].copy(), nats.numpy()[:count].copy(), after

    def _write_refusing(
        self, given: Any, uniforms: Any, temperatures: Any, count: Any, states: Any, refusals: Any, places: Any
    ) -> tuple[Any, Any, Any, Any]:
        """As `_write_chunk`, with float32 refusals [R, V] of 0 or -inf at each row's place, int32 [R]."""

        def allowed(position: Any, logits: Any) -> Any:
            return tf.where((places == position)[:, None], logits + refusals, logits)

        return self._write_chunk(given, uniforms, temperatures, count, tf.zeros_like(temperatures), states, allowed)


@dataclass(frozen=True, kw_only=True)
class _Part:
    """Some positions of a tile, and what is refused there.

    Attributes:
        given, uniforms, temperatures: as a tile's, [C, R], [C, R] and [R].
        places: where a token of each row is refused, int32 [R]; -1 for nowhere.
        refusals: the tokens refused there, float32 [R, V] of 0 or -inf.
    """

    given: NDArray[np.int32]
    uniforms: NDArray[np.float32]
    temperatures: NDArray[np.float32]
    places: NDArray[np.int32]
    refusals: NDArray[np.float32]

    @classmethod
    def of(cls, tile: Tile, begin: int, vocabulary: int) -> "_Part":
        """The positions of a tile from `begin` on, with nothing refused yet."""
        part = slice(begin, begin + CHUNK)
        return cls(
            given=tile.given[part].copy(),
            uniforms=tile.uniforms[part].copy(),
            temperatures=tile.temperatures,
            places=np.full(tile.rows, -1, np.int32),
            refusals=np.zeros((tile.rows, vocabulary), np.float32),
        )

    def refuse(self, row: int, place: int, ids: NDArray[np.int32], uniform: np.float32) -> None:
        """Refuse the token at a row's place, whose ids [C] before it stay, and draw there with another number."""
        if self.places[row] != place:
            self.places[row], self.refusals[row] = place, 0
            self.given[:place, row] = ids[:place]
        self.refusals[row, ids[place]] = -np.inf
        self.uniforms[place, row] = uniform


def _redraws(seed: int, text: int) -> Iterator[np.float32]:
    """Endless random numbers of a text for tokens drawn again, float32 in [0, 1); separate from its first draws."""
    far_on = np.array([0, 0, 0, 1], np.uint64)  # a jump within the 2**256 numbers of the text's generator
    generator = np.random.Philox(key=np.array([seed, max(text, 0)], np.uint64), counter=far_on)
    while True:
        yield np.float32(int(generator.random_raw()) >> 40) * np.float32(2.0**-24)
