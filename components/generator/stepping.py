"""The network one token at a time, for writing text: the LSTM's own equations over the network's weights.

For ids as one-hot vectors or embeddings, the first layer's input product is the same for every
occurrence of a token, so it is computed once for each token of the vocabulary.
"""

from collections.abc import Sequence
from typing import Any

from components.artifacts.tensorflow import tf
from components.generator.architecture import Architecture, ngram_row
from components.generator.next_token import NextToken


class Stepper:
    """A network as `NextToken`; its states are the architecture's."""

    def __init__(self, architecture: Architecture, network: Any) -> None:
        """Take the weights as they are now: a later train step does not change what this writes."""
        self._architecture = architecture
        cells = [network.get_layer(f"lstm_{n + 1}").cell for n in range(architecture.layers)]
        self._kernels = [tf.convert_to_tensor(cell.kernel) for cell in cells]
        self._recurrent = [tf.convert_to_tensor(cell.recurrent_kernel) for cell in cells]
        self._biases = [tf.convert_to_tensor(cell.bias) for cell in cells]
        output = network.get_layer("logits")
        self._output = tf.convert_to_tensor(output.kernel), tf.convert_to_tensor(output.bias)
        self._input_products = self._project_vocabulary(network)
        tables = [network.get_layer(f"embedding_{n}") for n in range(2, architecture.ngrams + 1)]
        self._ngrams = [tf.convert_to_tensor(table.embeddings) for table in tables]

    def zero_states(self, batch: int) -> list[Any]:
        """The states at the start of a window in training."""
        return [state.at_start(batch) for state in self._architecture.states]

    def read(self, ids: Any, states: Sequence[Any]) -> list[Any]:
        """One step: see `NextToken`."""
        product = tf.gather(self._input_products, ids)
        new_states: list[Any] = []
        if self._ngrams:
            before, *states = states
            product += self._embedded_runs(ids, before) @ self._kernels[0]
            new_states = [tf.concat([before[:, 1:], ids[:, None]], axis=1)]
        for index in range(self._architecture.layers):
            h, c = states[2 * index], states[2 * index + 1]
            if index:
                product = new_states[-2] @ self._kernels[index] + self._biases[index]
            new_states += _lstm(product + h @ self._recurrent[index], c)
        return new_states

    def logits(self, states: Sequence[Any]) -> Any:
        """The output layer over the last layer's h: see `NextToken`."""
        kernel, bias = self._output
        return states[-2] @ kernel + bias

    def _embedded_runs(self, ids: Any, before: Any) -> Any:
        """The sum of the embeddings of the runs of tokens that end with ids [B]; the tokens before them [B, n - 1]."""
        tokens = [ids, *tf.unstack(before[:, ::-1], axis=1)]
        rows = [ngram_row(self._architecture, tokens[:n]) for n in range(2, len(tokens) + 1)]
        return tf.add_n([tf.gather(table, row) for table, row in zip(self._ngrams, rows, strict=True)])

    def _project_vocabulary(self, network: Any) -> Any:
        """The first layer's input product with bias for every token, [V, 4 U]."""
        if self._architecture.input == "one_hot":
            return self._kernels[0] + self._biases[0]
        if self._architecture.input == "scaled":
            ids = tf.range(self._architecture.vocabulary, dtype=tf.float32)
            vectors = (ids / self._architecture.vocabulary)[:, None]
        else:
            vectors = tf.convert_to_tensor(network.get_layer("embedding").embeddings)
        return vectors @ self._kernels[0] + self._biases[0]


class Windowed:
    """A network that chooses each token from the `window` tokens before it and a zero state, as `NextToken`.

    Reading the whole window anew for each token takes `window` small products one after the other. Here a
    window begins at each token, and all that still run read the next token side by side, in one large product:
    the same sums in a fraction of the time. The states are W windows of B texts, [W * B, ...], used in
    turns, after the number of tokens read.
    """

    def __init__(self, next_token: NextToken, window: int) -> None:
        self._next_token = next_token
        self._window = window

    def zero_states(self, batch: int) -> list[Any]:
        """No token read, and every window at its start."""
        return [tf.constant(0), *self._next_token.zero_states(self._window * batch)]

    def read(self, ids: Any, states: Sequence[Any]) -> list[Any]:
        """Begin a window in the place of the one that is complete, and let all windows read."""
        count, *running = states
        begins = tf.repeat(tf.range(self._window) == count % self._window, ids.shape[0])[:, None]
        zeros = self._next_token.zero_states(self._window * ids.shape[0])
        running = [tf.where(begins, zero, state) for zero, state in zip(zeros, running, strict=True)]
        return [count + 1, *self._next_token.read(tf.tile(ids, [self._window]), running)]

    def logits(self, states: Sequence[Any]) -> Any:
        """What follows the window that began first."""
        count, *running = states
        first = tf.where(count < self._window, 0, count % self._window)
        by_window = [tf.reshape(state, [self._window, -1, *state.shape[1:]]) for state in running]
        # Gathered, not indexed: to XLA an index is a constant, for each value of which it would compile anew.
        return self._next_token.logits([tf.gather(state, first) for state in by_window])


def _lstm(gates: Any, carried: Any) -> tuple[Any, Any]:
    """Keras's LSTM cell from the gates' sums [B, 4 U], in its order: input, forget, cell, output."""
    input_gate, forget_gate, candidate, output_gate = tf.split(gates, 4, axis=1)
    new_carried = tf.sigmoid(forget_gate) * carried + tf.sigmoid(input_gate) * tf.tanh(candidate)
    return tf.sigmoid(output_gate) * tf.tanh(new_carried), new_carried
