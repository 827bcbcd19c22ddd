"""A loop over time, for the cells' training passes on a CPU."""

from typing import Any

from components.artifacts.tensorflow import tf


def write_each(arrays: list[Any], time: Any, values: list[Any]) -> list[Any]:
    """Write several values at one time into their TensorArrays."""
    return [array.write(time, value) for array, value in zip(arrays, values, strict=True)]


def loop(times: Any, step: Any, start: Any) -> Any:
    """Call `step` with a counter and the carried values, `times` times in sequence."""
    return tf.while_loop(lambda count, *_: count < times, step, start, maximum_iterations=times, parallel_iterations=1)


def swapped(tensor: Any) -> Any:
    """[B, T, ...] as [T, B, ...], or back."""
    return tf.transpose(tensor, [1, 0, 2])
