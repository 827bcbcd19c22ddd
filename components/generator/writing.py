"""Writing text: one loop over tokens for a tile of texts, for any network and strategy.

A text depends only on its seed, id, prompt and settings. Its random numbers are a stream of its own (NumPy's Philox
generator, keyed by seed and id). A product may round differently with another number of rows or in another row, so
texts are written in tiles of a fixed number of rows, and a text's row follows from its id. Rows are independent, so
neither the batch nor the other texts matter. Larger tiles write many texts faster; they are used if a trial shows that
they give the same bits as small ones.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.artifacts import machine
from components.artifacts.tensorflow import tf
from components.generator.architecture import Context
from components.generator.next_token import NextToken
from components.generator.ops import in_tensorflow
from components.generator.randomness import uniform_stream
from components.generator.stepping import Windowed
from components.generator.strategies import Strategy, choose

CHUNK = 256  # tokens per call of the compiled loop: one shape for texts of any length
_TRIAL = 16  # tokens written to test whether large tiles round as small ones do
_MUCH = 500_000  # from this many tokens on, large tiles save more than compiling a second loop takes, a second or two
CHOOSE = -1  # among given tokens: a token to be chosen


@dataclass(frozen=True, kw_only=True)
class Request:
    """A text to write: its id (the key of its random numbers), its prompt's token ids, and its temperature."""

    id: int
    prompt: NDArray[np.integer]
    temperature: float


@dataclass(frozen=True, kw_only=True)
class Text:
    """The text written after a prompt: token ids [T], the network's nats for each at temperature 1, and their mean."""

    ids: NDArray[np.int32]
    nats: NDArray[np.float32]
    nats_per_token: float


@dataclass(frozen=True, kw_only=True)
class Tile:
    """Texts that are written side by side, R rows of T tokens.

    Attributes:
        given: ids that are read, or CHOOSE, int32 [T, R].
        uniforms: see `strategies.choose`, float32 [T, R].
        temperatures: float32 [R].
        seed, texts: the keys of the rows' random numbers; text -1 for an empty row.
    """

    given: NDArray[np.int32]
    uniforms: NDArray[np.float32]
    temperatures: NDArray[np.float32]
    seed: int
    texts: Sequence[int]

    @property
    def rows(self) -> int:
        """R."""
        return len(self.temperatures)

    def part(self, rows: slice) -> "Tile":
        """A tile of some of its rows."""
        return Tile(
            given=self.given[:, rows],
            uniforms=self.uniforms[:, rows],
            temperatures=self.temperatures[rows],
            seed=self.seed,
            texts=self.texts[rows],
        )


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
        tiling: Tiling | None = None,
    ) -> None:
        tiling = tiling or Tiling.of_device()
        self._window = window if context == "window" else 0
        self._next_token = Windowed(in_tensorflow, next_token, window) if self._window else next_token
        self._choose = partial(choose, in_tensorflow, strategy=strategy)
        self._forbidden = list(forbidden)
        self._rows = max(tiling.rows // max(self._window, 1), 1)
        self._many = self._rows if self._window else tiling.many
        self._threads = tiling.threads
        self._loop = tf.function(self._write_chunk, autograph=False, jit_compile=tiling.compiled)

    def write(self, requests: Sequence[Request], *, length: int, seed: int) -> list[Text]:
        """Write `length` tokens after each request's prompt."""
        count = self.rows_for(len(requests), length)
        rows: list[list[Request]] = [[] for _ in range(count)]
        for request in requests:
            rows[request.id % count].append(request)
        with ThreadPoolExecutor(self._threads) as threads:
            tiles = threads.map(partial(self._write_tile, length=length, seed=seed), zip_longest(*rows))
            written = [iter(texts) for texts in zip(*tiles, strict=True)]
        return [next(written[request.id % count]) for request in requests]

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
            seed=0,
            texts=range(self._many),
        )
        parts = [tile.part(slice(row, row + self._rows)) for row in range(0, self._many, self._rows)]
        small = [np.concatenate(arrays, axis=-1) for arrays in zip(*map(self._write_given, parts), strict=True)]
        return all(map(np.array_equal, small, self._write_given(tile)))

    def _write_tile(self, requests: Sequence[Request | None], *, length: int, seed: int) -> list[Text]:
        """The text of each row; meaningless for a row without a request."""
        prompts = [self._read_of(request) for request in requests]
        shape = max(map(len, prompts)) + length, len(requests)
        given, uniforms = np.zeros(shape, np.int32), np.zeros(shape, np.float32)
        temperatures = np.zeros(len(requests), np.float32)
        for row, (request, prompt) in enumerate(zip(requests, prompts, strict=True)):
            if request is not None:
                begin, end = len(prompt), len(prompt) + length
                given[:begin, row], given[begin:end, row] = prompt, CHOOSE
                uniforms[begin:end, row] = uniform_stream(seed, request.id, length)
                temperatures[row] = request.temperature
        texts = [-1 if request is None else request.id for request in requests]
        ids, nats, total_nats = self._write_given(
            Tile(given=given, uniforms=uniforms, temperatures=temperatures, seed=seed, texts=texts)
        )
        parts = [slice(len(prompt), len(prompt) + length) for prompt in prompts]
        return [
            Text(ids=ids[part, row], nats=nats[part, row], nats_per_token=float(total_nats[row]) / length)
            for row, part in enumerate(parts)
        ]

    def _read_of(self, request: Request | None) -> NDArray[np.integer]:
        """The part of a prompt that is read: with the context `window`, at most the window."""
        if request is None:
            return np.zeros(0, np.int32)
        return request.prompt[-self._window :] if self._window else request.prompt

    def _write_given(self, tile: Tile) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]:
        """A whole tile, chunk by chunk: ids [T, R], nats [T, R] and their sums [R]."""
        states, total_nats, chunks = self._next_token.zero_states(tile.rows), tf.zeros(tile.rows), []
        for begin in range(0, len(tile.given), CHUNK):
            part = slice(begin, begin + CHUNK)
            count = len(tile.given[part])
            padding = ((0, CHUNK - count), (0, 0))
            ids, nats, total_nats, states = self._loop(
                tf.constant(np.pad(tile.given[part], padding)),
                tf.constant(np.pad(tile.uniforms[part], padding)),
                tf.constant(tile.temperatures),
                tf.constant(count),
                total_nats,
                states,
            )
            chunks.append((ids.numpy()[:count], nats.numpy()[:count]))
        all_ids, all_nats = (np.concatenate(parts) for parts in zip(*chunks, strict=True))
        return all_ids, all_nats, total_nats.numpy()

    def _write_chunk(
        self,
        given: Any,
        uniforms: Any,
        temperatures: Any,
        count: Any,
        total_nats: Any,
        states: Any,
        allowed: Callable[[Any, Any], Any] = lambda _, logits: logits,
    ) -> tuple[Any, Any, Any, Any]:
        """Write the first `count` tokens: given ones, and chosen ones for CHOOSE.

        Args:
            given: ids or CHOOSE, int32 [C, R].
            uniforms: see `strategies.choose`, float32 [C, R].
            temperatures: float32 [R].
            count: a scalar.
            total_nats: the nats of the tokens chosen so far, float32 [R].
            states: after the tokens before.
            allowed: from a position and its logits [R, V] to the logits that a token is drawn by.

        Returns:
            int32 ids [C, R], the nats of each chosen token, float32 [C, R], total_nats and states.
        """
        logged = [tf.TensorArray(dtype, size=CHUNK, element_shape=given.shape[1:]) for dtype in (tf.int32, tf.float32)]

        def take(position: Any, ids: Any, nats: Any, total_nats: Any, states: Any) -> Any:
            """Take the token of a position: the given one, or one that is chosen."""
            logits = self._next_token.logits(states)
            chosen = self._choose(allowed(position, self._allowed(logits)), uniforms[position], temperatures)
            is_chosen = given[position] == CHOOSE
            cost = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=chosen, logits=logits)
            cost = tf.where(is_chosen, cost, 0.0)
            taken = tf.where(is_chosen, chosen, given[position])
            states = self._next_token.read(taken, states)
            return position + 1, ids.write(position, taken), nats.write(position, cost), total_nats + cost, states

        # With a range of `count`, XLA would compile again for each count.
        start = (tf.constant(0), *logged, total_nats, states)
        _, ids, nats, total_nats, states = tf.while_loop(lambda position, *_: position < count, take, start)
        return ids.stack(), nats.stack(), total_nats, states

    def _allowed(self, logits: Any) -> Any:
        if not self._forbidden:
            return logits
        mask = np.zeros(logits.shape[1], np.float32)
        mask[self._forbidden] = -np.inf
        return logits + mask
