"""The GRU of cuDNN and Keras, which resets after the product; its gates are update, reset, candidate."""

from collections.abc import Sequence
from typing import Any

from components.generator.ops import Ops

NAME = "GRU"
STATES: tuple[str, ...] = ("h",)


def weight_shapes(width: int, units: int) -> list[tuple[int, ...]]:
    """The shapes of the kernel, the recurrent kernel, and the biases of both products."""
    return [(width, 3 * units), (units, 3 * units), (2, 3 * units)]


def input_bias(bias: Any) -> Any:
    """The first of the two biases."""
    return bias[0]


def step(ops: Ops, inputs: Any, states: Sequence[Any], weights: Sequence[Any]) -> list[Any]:
    """The state h after one more token."""
    (h,) = states
    _, recurrent_kernel, bias = weights
    update, reset, candidate = ops.split(inputs, 3)
    of_update, of_reset, of_candidate = ops.split(h @ recurrent_kernel + bias[1], 3)
    update = ops.sigmoid(update + of_update)
    candidate = ops.tanh(candidate + ops.sigmoid(reset + of_reset) * of_candidate)
    return [update * h + (1 - update) * candidate]


def layer(*, on_cpu: bool) -> Any:
    """Keras's layer, or the one with our own pass for a CPU."""
    from components.artifacts.tensorflow import keras
    from components.generator.cells.gru_on_cpu import CPUGRU

    return CPUGRU if on_cpu else keras.layers.GRU
