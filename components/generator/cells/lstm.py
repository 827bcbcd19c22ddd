"""The LSTM as Keras has it; its gates stand in the order input, forget, candidate, output."""

from collections.abc import Sequence
from typing import Any

from components.generator.ops import Ops

NAME = "LSTM"
STATES: tuple[str, ...] = ("h", "c")


def weight_shapes(width: int, units: int) -> list[tuple[int, ...]]:
    """The kernel's, the recurrent kernel's and the bias's."""
    return [(width, 4 * units), (units, 4 * units), (4 * units,)]


def input_bias(bias: Any) -> Any:
    """All of it."""
    return bias


def step(ops: Ops, inputs: Any, states: Sequence[Any], weights: Sequence[Any]) -> list[Any]:
    """H and c after one more token."""
    h, c = states
    _, recurrent_kernel, _ = weights
    input_gate, forget_gate, candidate, output_gate = ops.split(inputs + h @ recurrent_kernel, 4)
    c = ops.sigmoid(forget_gate) * c + ops.sigmoid(input_gate) * ops.tanh(candidate)
    return [ops.sigmoid(output_gate) * ops.tanh(c), c]


def layer(*, on_cpu: bool) -> Any:
    """Keras's, or with a pass of our own for a CPU."""
    from components.artifacts.tensorflow import keras
    from components.generator.cells.lstm_on_cpu import CPULSTM

    return CPULSTM if on_cpu else keras.layers.LSTM
