"""The network one token at a time, for writing text: the LSTM's own equations over the network's weights.

For ids as one-hot vectors or embeddings, the first layer's input product is the same for every
occurrence of a token, so it is computed once for each token of the vocabulary.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from components.artifacts.tensorflow import tf
from components.generator.network import Architecture


class NextToken(Protocol):
    """Anything that writes text one token at a time."""

    def zero_states(self, batch: Any) -> list[Any]:
        """The states before the first token, each [B, ...]."""
        ...

    def __call__(self, ids: Any, states: Sequence[Any]) -> tuple[Any, list[Any]]:
        """Take int32 ids [B]; return float32 logits [B, V] of the token that follows, and the new states."""
        ...


class Stepper:
    """A network as `NextToken`; states are h and c, float32 [B, U], for each layer in order."""

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

    def zero_states(self, batch: Any) -> list[Any]:
        """All states zero, as at the start of a window in training."""
        return [tf.zeros([batch, self._architecture.units]) for _ in range(2 * self._architecture.layers)]

    def __call__(self, ids: Any, states: Sequence[Any]) -> tuple[Any, list[Any]]:
        """One step: see `NextToken`."""
        new_states: list[Any] = []
        hidden = None
        for index in range(self._architecture.layers):
            h, c = states[2 * index], states[2 * index + 1]
            if hidden is None:
                product = tf.gather(self._input_products, ids)
            else:
                product = hidden @ self._kernels[index] + self._biases[index]
            hidden, carried = _lstm(product + h @ self._recurrent[index], c)
            new_states += [hidden, carried]
        kernel, bias = self._output
        return hidden @ kernel + bias, new_states

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


def _lstm(gates: Any, carried: Any) -> tuple[Any, Any]:
    """Keras's LSTM cell from the gates' sums [B, 4 U], in its order: input, forget, cell, output."""
    input_gate, forget_gate, candidate, output_gate = tf.split(gates, 4, axis=1)
    new_carried = tf.sigmoid(forget_gate) * carried + tf.sigmoid(input_gate) * tf.tanh(candidate)
    return tf.sigmoid(output_gate) * tf.tanh(new_carried), new_carried
