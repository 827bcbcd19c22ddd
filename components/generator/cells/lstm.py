"""The LSTM of Keras; its gates are input, forget, candidate, output, in this order."""

from collections.abc import Sequence
from typing import Any

from components.generator.ops import Ops

NAME = "LSTM"
STATES: tuple[str, ...] = ("h", "c")


def weight_shapes(width: int, units: int) -> list[tuple[int, ...]]:
    """The shapes of the kernel, the recurrent kernel and the bias."""
    return [(width, 4 * units), (units, 4 * units), (4 * units,)]


def input_bias(bias: Any) -> Any:
    """The whole bias."""
    return bias


def step(ops: Ops, inputs: Any, states: Sequence[Any], weights: Sequence[Any]) -> list[Any]:
    """The states h and c after one more token."""
    h, c = states
    _, recurrent_kernel, _ = weights
    input_gate, forget_gate, candidate, output_gate = ops.split(inputs + h @ recurrent_kernel, 4)
    c = ops.sigmoid(forget_gate) * c + ops.sigmoid(input_gate) * ops.tanh(candidate)
    return [ops.sigmoid(output_gate) * ops.tanh(c), c]


def layer(*, on_cpu: bool) -> Any:
    """Keras's layer, or the one with our own pass for a CPU."""
    from components.artifacts.tensorflow import keras
    from components.generator.cells.lstm_on_cpu import CPULSTM

    return CPULSTM if on_cpu else keras.layers.LSTM
