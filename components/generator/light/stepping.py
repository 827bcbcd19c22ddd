"""The network one token at a time, in NumPy; see `components.generator.stepping`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.generator.architecture import Architecture, ngram_row
from components.generator.next_token import NextToken

Floats = NDArray[np.float32]


class Stepper:
    """A network as `NextToken`; its states are the architecture's.

    Args:
        architecture: the network's shape.
        weights: each layer's by its name, of the shapes that `architecture.weight_shapes` says.
    """

    def __init__(self, architecture: Architecture, weights: Mapping[str, Sequence[Floats]]) -> None:
        self._architecture = architecture
        self._lstm = [weights[f"lstm_{n + 1}"] for n in range(architecture.layers)]
        self._output = weights["logits"]
        names = ["embedding", *(f"embedding_{n}" for n in range(2, architecture.ngrams + 1))]
        self._embeddings = [weights[name][0] for name in names if name in weights]

    def zero_states(self, batch: int) -> list[Any]:
        """The states at the start of a window in training."""
        return [np.full((batch, state.width), state.initial, state.dtype) for state in self._architecture.states]

    def read(self, ids: Any, states: Sequence[Any]) -> list[Any]:
        """One step: see `NextToken`."""
        tokens, new_states = [ids], []
        if self._architecture.ngrams > 1:
            before, *states = states
            tokens += list(before.T[::-1])
            new_states = [np.concatenate([before[:, 1:], ids[:, None]], axis=1)]
        product = self._input_product(tokens)
        for index, (kernel, recurrent, bias) in enumerate(self._lstm):
            h, c = states[2 * index], states[2 * index + 1]
            if index:
                product = new_states[-2] @ kernel
            new_states += _lstm(product + h @ recurrent + bias, c)
        return new_states

    def logits(self, states: Sequence[Any]) -> Floats:
        """The output layer over the last layer's h: see `NextToken`."""
        kernel, bias = self._output
        logits: Floats = states[-2] @ kernel + bias
        return logits

    def _input_product(self, tokens: list[NDArray[np.int32]]) -> Floats:
        """The first layer's input product [B, 4 U] for tokens [B], the newest first."""
        kernel, ids = self._lstm[0][0], tokens[0]
        product: Floats
        if self._architecture.input == "one_hot":
            product = kernel[ids]
            return product
        if self._architecture.input == "scaled":
            product = (ids[:, None] / self._architecture.vocabulary).astype(np.float32) * kernel
            return product
        rows = [ids, *(ngram_row(self._architecture, tokens[:n]) for n in range(2, len(tokens) + 1))]
        embedded = sum(table[row] for table, row in zip(self._embeddings, rows, strict=True))
        product = embedded @ kernel
        return product


class Windowed:
    """A network that chooses each token from the `window` tokens before it and a zero state, as `NextToken`.

    As in `components.generator.stepping` a window begins at each token, and all that still run read side by side.
    """

    def __init__(self, next_token: NextToken, window: int) -> None:
        self._next_token = next_token
        self._window = window

    def zero_states(self, batch: int) -> list[Any]:
        """No token read, and every window at its start."""
        return [0, *self._next_token.zero_states(self._window * batch)]

    def read(self, ids: Any, states: Sequence[Any]) -> list[Any]:
        """Begin a window in the place of the one that is complete, and let all windows read."""
        count, *running = states
        begins = np.repeat(np.arange(self._window) == count % self._window, len(ids))[:, None]
        zeros = self._next_token.zero_states(self._window * len(ids))
        running = [np.where(begins, zero, state) for zero, state in zip(zeros, running, strict=True)]
        return [count + 1, *self._next_token.read(np.tile(ids, self._window), running)]

    def logits(self, states: Sequence[Any]) -> Any:
        """What follows the window that began first."""
        count, *running = states
        first = 0 if count < self._window else count % self._window
        return self._next_token.logits([state.reshape(self._window, -1, state.shape[1])[first] for state in running])


def _lstm(gates: Floats, carried: Floats) -> tuple[Floats, Floats]:
    """Keras's LSTM cell from the gates' sums [B, 4 U], in its order: input, forget, cell, output."""
    input_gate, forget_gate, candidate, output_gate = gates.reshape(len(gates), 4, -1).swapaxes(0, 1)
    new_carried = _sigmoid(forget_gate) * carried + _sigmoid(input_gate) * np.tanh(candidate)
    return _sigmoid(output_gate) * np.tanh(new_carried), new_carried


def _sigmoid(values: Floats) -> Floats:
    """The logistic function by way of tanh, which overflows nowhere."""
    half = np.float32(0.5)
    result: Floats = np.tanh(values * half) * half + half
    return result
