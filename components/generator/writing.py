"""Writing text: one loop over tokens for a batch of texts, whatever network and strategy.

A text depends on its seed, id, prompt and settings. Its chance is a stream of its own (NumPy's Philox
generator, keyed by seed and id), so it does not depend on which texts share its batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from components.artifacts.tensorflow import tf
from components.generator.stepping import NextToken
from components.generator.strategies import choose

Context = Literal["carry", "window"]


@dataclass(frozen=True, kw_only=True)
class Request:
    """One text to write: its id (the key of its chance), its prompt's token ids, and its temperature."""

    id: int
    prompt: NDArray[np.integer]
    temperature: float


@dataclass(frozen=True, kw_only=True)
class Text:
    """What was written after a prompt: token ids, and the network's mean nats per token at temperature 1."""

    ids: NDArray[np.int32]
    nats_per_token: float


class Writer:
    """Writes texts with one network and one strategy.

    Args:
        next_token: the network.
        context: `carry`, the state sees all the text; `window`, each token is chosen from the `window`
            tokens before it and a zero state, as the tutorials do.
        window: how many tokens that is.
        top_k, top_p: see `strategies.choose`.
        forbidden: ids that are never written, such as the token for unknown words.
    """

    def __init__(
        self,
        next_token: NextToken,
        *,
        context: Context,
        window: int = 0,
        top_k: int = 0,
        top_p: float = 1.0,
        forbidden: Sequence[int] = (),
    ) -> None:
        self._next_token = next_token
        self._window = window if context == "window" else 0
        self._choose = partial(choose, top_k=top_k, top_p=top_p)
        self._forbidden = list(forbidden)
        self._loop = tf.function(self._write_loop, reduce_retracing=True)

    def write(self, requests: Sequence[Request], *, length: int, seed: int) -> list[Text]:
        """Write `length` tokens after each request's prompt, all in one batch."""
        prompts, begins = _right_aligned([request.prompt for request in requests])
        uniforms = np.stack([uniform_stream(seed, request.id, length) for request in requests])
        temperatures = np.array([request.temperature for request in requests], np.float32)
        ids, nats = self._loop(
            tf.constant(prompts), tf.constant(begins), tf.constant(uniforms), tf.constant(temperatures)
        )
        return [
            Text(ids=row, nats_per_token=float(cost) / length)
            for row, cost in zip(ids.numpy(), nats.numpy(), strict=True)
        ]

    def _write_loop(self, prompts: Any, begins: Any, uniforms: Any, temperatures: Any) -> tuple[Any, Any]:
        """Write; int32 [B, P], int32 [B], float32 [B, N], float32 [B] to int32 [B, N], float32 [B]."""
        read, length = tf.shape(prompts)[1], tf.shape(uniforms)[1]
        columns = tf.TensorArray(tf.int32, size=read + length, clear_after_read=False)
        for position in tf.range(read):
            columns = columns.write(position, prompts[:, position])
        logits, states = self._read(columns, begins, read)
        nats = tf.zeros_like(temperatures)
        for position in tf.range(length):
            chosen = self._choose(self._allowed(logits), uniforms[:, position], temperatures)
            nats += tf.nn.sparse_softmax_cross_entropy_with_logits(labels=chosen, logits=logits)
            columns = columns.write(read + position, chosen)
            if self._window:
                logits, states = self._read(columns, begins, read + position + 1)
            else:
                logits, states = self._next_token(chosen, states)
        return tf.transpose(columns.gather(tf.range(read, read + length))), nats

    def _read(self, columns: Any, begins: Any, end: Any) -> tuple[Any, list[Any]]:
        """Logits and states after the tokens before column `end`; a text begins at its column `begins` [B]."""
        start = tf.maximum(end - self._window, 0) if self._window else tf.constant(0)
        states = list(self._next_token.zero_states(tf.size(begins)))
        logits, _ = self._next_token(columns.read(start), states)
        for position in tf.range(start, end):
            logits, stepped = self._next_token(columns.read(position), states)
            has_begun = (position >= begins)[:, None]
            states = [tf.where(has_begun, new, old) for new, old in zip(stepped, states, strict=True)]
        return logits, states

    def _allowed(self, logits: Any) -> Any:
        if not self._forbidden:
            return logits
        mask = np.zeros(logits.shape[1], np.float32)
        mask[self._forbidden] = -np.inf
        return logits + mask


def uniform_stream(seed: int, text: int, length: int) -> NDArray[np.float32]:
    """The chance of text `text` under `seed`: float32 [length], each a multiple of 2**-24 in [0, 1)."""
    bits = np.random.Philox(key=np.array([seed, text], np.uint64)).random_raw(length)
    return ((bits >> np.uint64(40)).astype(np.float32)) * np.float32(2.0**-24)


def _right_aligned(prompts: Sequence[NDArray[np.integer]]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Prompts of several lengths as one array [B, P], padded on the left, and where each begins, [B]."""
    longest = max(len(prompt) for prompt in prompts)
    ids = np.zeros((len(prompts), longest), np.int32)
    for row, prompt in enumerate(prompts):
        ids[row, longest - len(prompt) :] = prompt
    return ids, np.array([longest - len(prompt) for prompt in prompts], np.int32)
