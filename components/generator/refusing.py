"""Writing without copying: no passage of a corpus longer than a number of characters is written.

A token that would complete such a passage is refused, and another one is drawn from the rest, with random numbers of
the text's own. So every token is drawn by the strategy from all tokens that are not refused, and a text depends only
on its seed, id, prompt, settings and corpus. Passages are counted from the prompt's end. Each token must be known
before the next one is chosen, so this module has a loop of its own, one token at a time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.artifacts.errors import UsageError
from components.artifacts.tensorflow import tf
from components.artifacts.vocabulary import Vocabulary
from components.generator.next_token import NextToken
from components.generator.passages import Passages
from components.generator.writing import CHOOSE, Tile, Tiling, Writer


class RefusingWriter(Writer):
    """As `Writer`, but writes none of `passages`, in tokens of `vocabulary`; options are Writer's.

    Raises, from `write`:
        UsageError: a text can't be continued, since every token would complete one of the passages.
    """

    def __init__(
        self,
        next_token: NextToken,
        *,
        passages: Passages,
        vocabulary: Vocabulary,
        tiling: Tiling | None = None,
        **options: Any,
    ) -> None:
        tiling = tiling or Tiling.of_device()
        super().__init__(next_token, tiling=replace(tiling, many=tiling.rows), **options)
        self._passages = passages
        self._tokens = vocabulary.tokens
        self._draw = tf.function(self._draw_token, autograph=False, jit_compile=tiling.compiled)
        self._read = tf.function(self._next_token.read, autograph=False, jit_compile=tiling.compiled)

    def _write_given(self, tile: Tile) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]:
        """A whole tile, token by token: ids [T, R], nats [T, R] and their sums [R]."""
        states, total_nats = self._next_token.zero_states(tile.rows), np.zeros(tile.rows, np.float32)
        ids, nats = tile.given.copy(), np.zeros(tile.given.shape, np.float32)
        tails = [""] * tile.rows  # the end of what was written: a passage could begin in it
        again = [_redraws(tile.seed, text) for text in tile.texts]
        for position in range(len(ids)):
            rows = np.flatnonzero(ids[position] == CHOOSE).tolist()
            if rows:
                chosen, costs = self._choose_unrefused(tile, position, states, tails, again)
                ids[position, rows] = chosen[rows]
                nats[position, rows] = costs[rows]
                total_nats[rows] += costs[rows]
                for row in rows:
                    tails[row] = self._continued(tails[row], chosen[row])[-self._passages.length + 1 :]
            states = self._read(tf.constant(ids[position]), states)
        return ids, nats, total_nats

    def _choose_unrefused(
        self, tile: Tile, position: int, states: Any, tails: Sequence[str], again: Sequence[Iterator[np.float32]]
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The tokens at a position, int32 [R], none of which completes a passage, and their nats [R]."""
        uniforms = tile.uniforms[position].copy()
        refusals = np.zeros((tile.rows, len(self._tokens)), np.float32)
        refusals[:, self._forbidden] = -np.inf
        waiting: list[int] = np.flatnonzero(tile.given[position] == CHOOSE).tolist()
        while True:
            ids, nats = (
                drawn.numpy()
                for drawn in self._draw(tf.constant(refusals), tf.constant(uniforms), tile.temperatures, states)
            )
            copies = self._passages.are_in([self._continued(tails[row], ids[row]) for row in waiting])
            waiting = [
                row for row, copy in zip(waiting, copies, strict=True) if copy
            ]  # a row that is done is drawn again with the same result
            if not waiting:
                return ids, nats
            refusals[waiting, ids[waiting]] = -np.inf
            uniforms[waiting] = [next(again[row]) for row in waiting]
            if np.isneginf(refusals[waiting]).all(axis=1).any():
                raise UsageError(
                    f"sample.no_copy: after {tails[waiting[0]][-40:]!r} every token would complete a passage of the "
                    f"corpus of more than {self._passages.length - 1} characters; raise sample.no_copy"
                )

    def _continued(self, tail: str, token: int) -> str:
        return tail + self._tokens[token]

    def _draw_token(self, refusals: Any, uniforms: Any, temperatures: Any, states: Any) -> tuple[Any, Any]:
        """Token and nats of each row: float32 [R, V] of 0 or -inf, [R], [R] and states to int32 [R], float32 [R]."""
        logits = self._next_token.logits(states)
        chosen = self._choose(logits + refusals, uniforms, temperatures)
        return chosen, tf.nn.sparse_softmax_cross_entropy_with_logits(labels=chosen, logits=logits)


def _redraws(seed: int, text: int) -> Iterator[np.float32]:
    """Endless random numbers of a text for tokens drawn again, float32 in [0, 1); separate from its first draws."""
    far_on = np.array([0, 0, 0, 1], np.uint64)  # a jump within the 2**256 numbers of the text's generator
    generator = np.random.Philox(key=np.array([seed, max(text, 0)], np.uint64), counter=far_on)
    while True:
        yield np.float32(int(generator.random_raw()) >> 40) * np.float32(2.0**-24)
