"""Writing text: one loop over tokens for a tile of texts, for any network and strategy.

A text depends only on its seed, id, prompt and settings. Its random numbers are a stream of its own (NumPy's Philox
generator, keyed by seed and id). A product may round differently with another number of rows or in another row, so
texts are written in tiles of a fixed number of rows, and a text's row follows from its id. Rows are independent, so
neither the batch nor the other texts matter. Larger tiles write many texts faster; they are used if a trial shows that
they give the same bits as small ones.
"""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.artifacts import machine
from components.artifacts.tensorflow import tf
from components.generator.architecture import Context
from components.generator.ending import Ending
from components.generator.next_token import NextToken
from components.generator.ops import in_tensorflow
from components.generator.randomness import uniform_stream
from components.generator.rows import CHOOSE, Request, Row, Text, Tile
from components.generator.stepping import Windowed
from components.generator.strategies import Strategy, choose

_CHUNK = 256  # tokens per call of the compiled loop: one shape for texts of any length
_SHORT_CHUNK = 32  # where a text may end before its full length, so that its row is soon another's
_TRIAL = 16  # tokens written to test whether large tiles round as small ones do
_MUCH = 500_000  # from this many tokens on, large tiles save more than compiling a second loop takes, a second or two

_Queue = deque[tuple[int, Request]]
"""Texts that wait for a row, each with its place among all."""


@dataclass(frozen=True, kw_only=True)
class Tiling:
    """How texts are laid out on a device.

    Attributes:
        rows: states in a tile; a text has one with the context `carry`, and one per token of a window with `window`.
        many: rows of a tile if many texts are written with the context `carry`; a multiple of `rows`.
        threads: tiles written side by side.
        compiled: by XLA. That takes half a second, and a step then a third of the time on a CPU.
    """

    rows: int
    many: int
    threads: int
    compiled: bool

    @classmethod
    def of_device(cls) -> "Tiling":
        """The layout measured to be fastest: few rows for few texts on a CPU, always large products on a GPU."""
        if tf.config.get_visible_devices("GPU"):
            return cls(rows=1024, many=1024, threads=1, compiled=False)
        return cls(rows=4, many=32, threads=machine.cores(), compiled=True)


class Writer:
    """Writes texts with one network and one strategy.

    Args:
        next_token: the network.
        context: `carry`: the state has read all the text; `window`: each token is predicted from the `window` tokens
            before it and a zero state, as in the tutorials.
        window: the number of these tokens.
        strategy: which tokens may be drawn.
        forbidden: ids that are never written, such as the token for unknown words.
        ending: what ends a text before its full length.
        tiling: the layout, by default the device's; texts may differ with other `rows`.
    """

    def __init__(
        self,
        next_token: NextToken,
        *,
        context: Context,
        window: int = 0,
        strategy: Strategy = Strategy(),  # noqa: B008 -- frozen
        forbidden: Sequence[int] = (),
        ending: Ending = Ending(),  # noqa: B008 -- frozen
        tiling: Tiling | None = None,
    ) -> None:
        tiling = tiling or Tiling.of_device()
        self._window = window if context == "window" else 0
        self._next_token = Windowed(in_tensorflow, next_token, window) if self._window else next_token
        self._choose = partial(choose, in_tensorflow, strategy=strategy)
        self._forbidden = list(forbidden)
        self.ending = ending
        self._chunk = _SHORT_CHUNK if ending.is_possible else _CHUNK
        self._rows = max(tiling.rows // max(self._window, 1), 1)
        self._many = self._rows if self._window else tiling.many
        self._threads = tiling.threads
        self._loop = tf.function(self._write_chunk, autograph=False, jit_compile=tiling.compiled)

    def write(self, requests: Sequence[Request], *, length: int, seed: int) -> list[Text]:
        """Write `length` tokens after each request's prompt, or fewer where a text ends before.

        A row whose text has ended begins with the next one, so that texts of different lengths leave few rows idle.
        """
        count = self.rows_for(len(requests), length)
        queues: list[_Queue] = [deque() for _ in range(count)]
        for place, request in enumerate(requests):
            queues[request.id % count].append((place, request))

        def begun(queue: _Queue) -> Row | None:
            with suppress(IndexError):  # several tiles share the queues
                place, request = queue.popleft()
                return Row(place, request, self._read_of(request), length=length, seed=seed)
            return None

        tiles = min(self._threads, max(map(len, queues)))
        with ThreadPoolExecutor(self._threads) as threads:
            texts = threads.map(lambda _: self._write_tile(queues, begun), range(tiles))
            written = dict(chain.from_iterable(texts))
        return [written[place] for place in range(len(requests))]

    def rows_for(self, texts: int, length: int) -> int:
        """How many rows the tiles have for this many texts and tokens; the texts do not depend on it."""
        if self._many == self._rows or texts < self._many * self._threads or texts * length < _MUCH:
            return self._rows
        return self._many if self._many_round_alike else self._rows

    @cached_property
    def _many_round_alike(self) -> bool:
        """Whether large tiles give the same bits as small ones, tested by writing one both ways."""
        uniforms = np.stack([uniform_stream(0, text, _TRIAL) for text in range(self._many)], axis=1)
        tile = Tile(
            given=np.full((_TRIAL, self._many), CHOOSE, np.int32),
            uniforms=uniforms,
            temperatures=np.ones(self._many, np.float32),
            rows=[None] * self._many,
        )

        def written(tile: Tile) -> Any:
            return self._advance(tile, self._next_token.zero_states(len(tile.rows)))[:2]

        parts = [tile.part(slice(row, row + self._rows)) for row in range(0, self._many, self._rows)]
        small = [np.concatenate(arrays, axis=-1) for arrays in zip(*map(written, parts), strict=True)]
        return all(map(np.array_equal, small, written(tile)))

    def _write_tile(
        self, queues: Sequence["_Queue"], begun: Callable[["_Queue"], Row | None]
    ) -> list[tuple[int, Text]]:
        """Write texts, begun from the rows' queues, until there are no more; return them with their places."""
        texts: list[tuple[int, Text]] = []
        states: Sequence[Any] = self._next_token.zero_states(len(queues))
        rows: list[Row | None] = [None] * len(queues)
        while True:
            # The open windows of a tile's rows begin together, so there all rows wait for the last text to end.
            if not self._window or not any(rows):
                begins = [row is None for row in rows]
                rows = [row or begun(queue) for row, queue in zip(rows, queues, strict=True)]
                states = self._begun(states, begins)
            if not any(rows):
                return texts
            tile = Tile.of(rows, self._chunk)
            ids, nats, states = self._advance(tile, states)
            for number, row in enumerate(rows):
                if row and (text := row.take(ids[:, number], nats[:, number], self.ending)):
                    texts.append((row.place, text))
                    rows[number] = None

    def _begun(self, states: Sequence[Any], begins: Sequence[bool]) -> Sequence[Any]:
        """The states with those of rows where a text begins as they are before the first token."""
        zeros = self._next_token.zero_states(len(begins))
        if all(begins):
            return zeros
        if not any(begins):
            return states
        mask = tf.constant(begins)[:, None]
        return [tf.where(mask, zero, state) for zero, state in zip(zeros, states, strict=True)]

    def _read_of(self, request: Request) -> NDArray[np.integer]:
        """The part of a prompt that is read: with the context `window`, at most the window."""
        return request.prompt[-self._window :] if self._window else request.prompt

    def _advance(
        self, tile: Tile, states: Sequence[Any]
    ) -> tuple[NDArray[np.int32], NDArray[np.float32], Sequence[Any]]:
        """Write a tile's tokens: ids [C, R], the nats of each chosen one [C, R], and the new states."""
        return self._called(self._loop, tile, states)

    def _called(
        self, loop: Any, tile: Tile, states: Sequence[Any], *more: Any
    ) -> tuple[NDArray[np.int32], NDArray[np.float32], Sequence[Any]]:
        """What a compiled loop returns for a tile's tokens, given as many as it always is, and `more` arguments."""
        count = len(tile.given)
        padding = ((0, self._chunk - count), (0, 0))
        ids, nats, states = loop(
            tf.constant(np.pad(tile.given, padding)),
            tf.constant(np.pad(tile.uniforms, padding)),
            tf.constant(tile.temperatures),
            tf.constant(count),
            states,
            *map(tf.constant, more),
        )
        return ids.numpy()[:count].copy(), nats.numpy()[:count].copy(), states

    def _write_chunk(
        self,
        given: Any,
        uniforms: Any,
        temperatures: Any,
        count: Any,
        states: Any,
        allowed: Callable[[Any, Any], Any] = lambda _, logits: logits,
    ) -> tuple[Any, Any, Any]:
        """Write the first `count` tokens: given ones, and chosen ones for CHOOSE.

        Args:
            given: ids or CHOOSE, int32 [C, R].
            uniforms: see `strategies.choose`, float32 [C, R].
            temperatures: float32 [R].
            count: a scalar.
            states: after the tokens before.
            allowed: from a position and its logits [R, V] to the logits that a token is drawn by.

        Returns:
            int32 ids [C, R], the nats of each chosen token, float32 [C, R], and states.
        """
        size, shape = self._chunk, given.shape[1:]
        logged = [tf.TensorArray(dtype, size=size, element_shape=shape) for dtype in (tf.int32, tf.float32)]

        def take(position: Any, ids: Any, nats: Any, states: Any) -> Any:
            """Take the token of a position: the given one, or one that is chosen."""
            logits = self._next_token.logits(states)
            chosen = self._choose(allowed(position, self._allowed(logits)), uniforms[position], temperatures)
            is_chosen = given[position] == CHOOSE
            cost = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=chosen, logits=logits)
            cost = tf.where(is_chosen, cost, 0.0)
            taken = tf.where(is_chosen, chosen, given[position])
            states = self._next_token.read(taken, states)
            return position + 1, ids.write(position, taken), nats.write(position, cost), states

        # With a range of `count`, XLA would compile again for each count.
        start = (tf.constant(0), *logged, states)
        _, ids, nats, states = tf.while_loop(lambda position, *_: position < count, take, start)
        return ids.stack(), nats.stack(), states

    def _allowed(self, logits: Any) -> Any:
        if not self._forbidden:
            return logits
        mask = np.zeros(logits.shape[1], np.float32)
        mask[self._forbidden] = -np.inf
        return logits + mask
