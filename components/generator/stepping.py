"""The network one token at a time, for writing text, and the context `window` over it.

The first layer's input product is the same for every occurrence of a token, so it can be computed once for each token
in the vocabulary.
"""

import functools
import operator
from collections.abc import Mapping, Sequence
from typing import Any

from components.generator.architecture import Architecture, ngram_row
from components.generator.cells import CELLS
from components.generator.next_token import NextToken
from components.generator.ops import Ops


class Stepper:
    """A network as `NextToken`; its states are the architecture's.

    Args:
        ops: the array operations for the weights.
        architecture: the network's shape.
        weights: each layer's by its name, with the shapes of `architecture.weight_shapes`.
        tabulated: whether to compute the first layer's input product for each token of the vocabulary in advance.
    """

    def __init__(
        self, ops: Ops, architecture: Architecture, weights: Mapping[str, Sequence[Any]], *, tabulated: bool
    ) -> None:
        self._ops = ops
        self._architecture = architecture
        self._cell = CELLS[architecture.cell]
        self._layers = [weights[name] for name in architecture.recurrent_layers]
        self._output = weights["logits"]
        self._embeddings = [weights[name][0] for name in architecture.embeddings]
        self._table = self._products(ops.arange(architecture.vocabulary)) if tabulated else None

    def zero_states(self, batch: int) -> list[Any]:
        """The states at the start of a window in training."""
        return [state.at_start(self._ops, batch) for state in self._architecture.states]

    def read(self, ids: Any, states: Sequence[Any]) -> list[Any]:
        """One step: see `NextToken`."""
        inputs = self._products(ids) if self._table is None else self._ops.gather(self._table, ids)
        new_states: list[Any] = []
        if self._architecture.ngrams > 1:
            before, *states = states
            inputs = inputs + self._embedded_runs(ids, before) @ self._layers[0][0]
            new_states = [self._ops.concat(before[:, 1:], ids[:, None])]
        count = len(self._cell.STATES)
        for index, weights in enumerate(self._layers):
            if index:
                inputs = self._input_product(new_states[-count], weights)
            new_states += self._cell.step(self._ops, inputs, states[index * count : (index + 1) * count], weights)
        return new_states

    def logits(self, states: Sequence[Any]) -> Any:
        """The output layer over the last layer's first state: see `NextToken`."""
        kernel, bias = self._output
        return states[-len(self._cell.STATES)] @ kernel + bias

    def _input_product(self, vectors: Any, weights: Sequence[Any]) -> Any:
        kernel, _, bias = weights
        return vectors @ kernel + self._cell.input_bias(bias)

    def _products(self, ids: Any) -> Any:
        """The first layer's input product with bias for tokens [B], without their n-grams."""
        if self._architecture.input == "one_hot":
            kernel, _, bias = self._layers[0]
            return self._ops.gather(kernel, ids) + self._cell.input_bias(bias)
        if self._architecture.input == "scaled":
            vectors = (self._ops.floats(ids) / self._architecture.vocabulary)[:, None]
        else:
            vectors = self._ops.gather(self._embeddings[0], ids)
        return self._input_product(vectors, self._layers[0])

    def _embedded_runs(self, ids: Any, before: Any) -> Any:
        """The sum of the embeddings of the n-grams that end with ids [B]; the tokens before ids are [B, n - 1]."""
        tokens = [ids, *(before[:, -age] for age in range(1, self._architecture.ngrams))]
        rows = [ngram_row(self._architecture, tokens[:n]) for n in range(2, len(tokens) + 1)]
        embedded = [self._ops.gather(table, row) for table, row in zip(self._embeddings[1:], rows, strict=True)]
        return functools.reduce(operator.add, embedded)


class Windowed:
    """A network that chooses each token from the `window` tokens before it and a zero state, as `NextToken`.

    Reading the whole window again for each token takes `window` small products in sequence. Here a window begins at
    each token, and all open windows read the next token side by side, in one large product: the same sums in a
    fraction of the time. The states are the number of tokens read, then W windows of B texts, [W * B, ...], used in
    turn.
    """

    def __init__(self, ops: Ops, next_token: NextToken, window: int) -> None:
        self._ops = ops
        self._next_token = next_token
        self._window = window

    def zero_states(self, batch: int) -> list[Any]:
        """The states before any token: every window is at its start."""
        return [self._ops.zero(), *self._next_token.zero_states(self._window * batch)]

    def read(self, ids: Any, states: Sequence[Any]) -> list[Any]:
        """Begin a window in place of the complete one, and let all windows read."""
        count, *running = states
        batch = ids.shape[0]
        begins = self._ops.repeat(self._ops.arange(self._window) == count % self._window, batch)[:, None]
        zeros = self._next_token.zero_states(self._window * batch)
        running = [self._ops.where(begins, zero, state) for zero, state in zip(zeros, running, strict=True)]
        return [count + 1, *self._next_token.read(self._ops.tile(ids, self._window), running)]

    def logits(self, states: Sequence[Any]) -> Any:
        """The logits after the window that began first."""
        count, *running = states
        first = self._ops.maximum(count - self._window, 0) % self._window
        by_window = [self._ops.reshape(state, (self._window, -1, *state.shape[1:])) for state in running]
        # Gathered, not indexed: for XLA an index is a constant, and it would compile again for each value.
        return self._next_token.logits([self._ops.gather(state, first) for state in by_window])
