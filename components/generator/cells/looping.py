"""A loop over time, for the cells' training passes on a CPU."""

from typing import Any

from components.artifacts.tensorflow import tf


def write_each(arrays: list[Any], time: Any, values: list[Any]) -> list[Any]:
    """Write several values at one time into their TensorArrays."""
    return [array.write(time, value) for array, value in zip(arrays, values, strict=True)]


def loop(times: Any, step: Any, start: Any) -> Any:
    """Call `step` with a counter and the carried values, `times` times in sequence."""
    return tf.while_loop(lambda count, *_: count < times, step, start, maximum_iterations=times, parallel_iterations=1)


def input_products(inputs: Any, kernel: Any, bias: Any) -> tuple[Any, Any]:
    """The inputs [B, T, D] as [T B, D], and their products with the kernel [D, S], [T, B, S]."""
    batch, times = (tf.shape(inputs)[axis] if inputs.shape[axis] is None else inputs.shape[axis] for axis in (0, 1))
    flat = tf.reshape(swapped(inputs), [-1, inputs.shape[2]])
    return flat, tf.reshape(tf.nn.bias_add(tf.matmul(flat, kernel), bias), [times, batch, kernel.shape[1]])


def input_gradient(d_sums: Any, kernel: Any, products: Any) -> Any:
    """The gradient of the inputs [B, T, D], from that of the sums [T B, S], where `products` is [T, B, S]."""
    times, batch = (tf.shape(products)[a] if products.shape[a] is None else products.shape[a] for a in (0, 1))
    d_inputs = tf.transpose(tf.matmul(kernel, d_sums, transpose_b=True))
    return swapped(tf.reshape(d_inputs, [times, batch, kernel.shape[0]]))


def swapped(tensor: Any) -> Any:
    """[B, T, ...] as [T, B, ...], or back."""
    return tf.transpose(tensor, [1, 0, 2])
