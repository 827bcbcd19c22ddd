"""A loop over time, for the cells' training passes on a CPU."""

from typing import Any

from components.artifacts.tensorflow import tf


def write_each(arrays: list[Any], time: Any, values: list[Any]) -> list[Any]:
    """Write several values at one time into their TensorArrays."""
    return [array.write(time, value) for array, value in zip(arrays, values, strict=True)]


def loop(times: Any, step: Any, start: Any) -> Any:
    """Call `step` with a counter and the carried values, `times` times in sequence."""
    return tf.while_loop(lambda count, *_: count < times, step, start, maximum_iterations=times, parallel_iterations=1)


def times_of(tensor: Any) -> Any:
    """The number of steps T of a tensor [T, ...]: a number where it is known beforehand, else a scalar tensor."""
    return tf.shape(tensor)[0] if tensor.shape[0] is None else tensor.shape[0]


def states(products: Any, width: int, *, more: int = 0, read_once: bool = True) -> Any:
    """A TensorArray for [B, width] at each step, and at so many more, where `products` is [T, B, S]."""
    shape = [products.shape[1], width]
    return tf.TensorArray(products.dtype, times_of(products) + more, element_shape=shape, clear_after_read=read_once)


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


def kernel_gradients(flat_inputs: Any, all_h: Any, d_input_sums: Any, d_state_sums: Any) -> tuple[Any, Any]:
    """The gradients of kernel and recurrent kernel, one product each, from those of their sums [T B, S].

    `flat_inputs` is [T B, D], and `all_h` is [T + 1, B, U], beginning with the state before the first token.
    """
    flat_h = tf.reshape(all_h[:-1], [-1, all_h.shape[2]])
    return tf.matmul(flat_inputs, d_input_sums, transpose_a=True), tf.matmul(flat_h, d_state_sums, transpose_a=True)


def swapped(tensor: Any) -> Any:
    """[B, T, ...] as [T, B, ...], or back."""
    return tf.transpose(tensor, [1, 0, 2])
