"""What the cells' training passes on a CPU are made of: a loop over time."""

from typing import Any

from components.artifacts.tensorflow import tf


def write_each(arrays: list[Any], time: Any, values: list[Any]) -> list[Any]:
    """Several TensorArrays, each with its value at a time."""
    return [array.write(time, value) for array, value in zip(arrays, values, strict=True)]


def loop(times: Any, step: Any, start: Any) -> Any:
    """`step` over a counter and what it carries, `times` times, one after the other."""
    return tf.while_loop(lambda count, *_: count < times, step, start, maximum_iterations=times, parallel_iterations=1)


def swapped(tensor: Any) -> Any:
    """[B, T, ...] as [T, B, ...], or back."""
    return tf.transpose(tensor, [1, 0, 2])
