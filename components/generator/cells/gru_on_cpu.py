"""Keras's GRU layer with our own training pass for a CPU, for the reasons given in `lstm_on_cpu`.

Shapes are named by their axes: B batch, T time (tokens), D width of the input, U units.
"""

from typing import Any

from components.artifacts.tensorflow import keras, tf
from components.generator.cells.looping import (
    input_gradient,
    input_products,
    kernel_gradients,
    loop,
    states,
    swapped,
    times_of,
    write_each,
)


class CPUGRU(keras.layers.GRU):  # type: ignore[misc]  # Keras has no types
    """Keras's GRU layer, computed by `gru`."""

    def inner_loop(self, sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> Any:  # noqa: ARG002
        """The last output [B, U], all outputs [B, T, U] and the states after them; Keras's own hook.

        Raises:
            ValueError: a mask is given, or an option of Keras's that `gru` does not support.
        """
        if mask is not None or self.dropout or self.recurrent_dropout or self.go_backwards or not self.reset_after:
            raise ValueError("this layer takes no mask, resets after the product, and has no dropout or go_backwards")
        weights = (self.cell.kernel, self.cell.recurrent_kernel, self.cell.bias)
        kernel, recurrent_kernel, bias = (tf.convert_to_tensor(keras.ops.cast(w, sequences.dtype)) for w in weights)
        outputs, h = gru(sequences, *initial_state, kernel, recurrent_kernel, bias)
        return h, outputs, [h]


@tf.custom_gradient  # type: ignore[untyped-decorator]  # TensorFlow has no types
def gru(inputs: Any, h: Any, kernel: Any, recurrent_kernel: Any, bias: Any) -> Any:
    """A GRU over inputs, with its gradient.

    The gates are Keras's, in its order: update, reset, candidate.

    Args:
        inputs: [B, T, D], float32 or bfloat16 like all arguments.
        h: the state before the first token, [B, U].
        kernel: [D, 3 U].
        recurrent_kernel: [U, 3 U].
        bias: of the input's product and of the state's product, [2, 3 U].

    Returns:
        The outputs [B, T, U], and h after the last token, [B, U].
    """
    flat_inputs, products = input_products(inputs, kernel, bias[0])
    last_h, all_h, all_parts = _forward(products, h, recurrent_kernel, bias[1])

    def gradient(d_outputs: Any, d_last_h: Any) -> tuple[Any, ...]:
        """The gradients of all arguments, in their order."""
        d_h, *d_sums = _backward(products, swapped(d_outputs), d_last_h, all_h, all_parts, recurrent_kernel)
        d_inputs = input_gradient(d_sums[0], kernel, products)
        d_kernels = kernel_gradients(flat_inputs, all_h, *d_sums)
        return d_inputs, d_h, *d_kernels, tf.stack([tf.reduce_sum(sums, axis=0) for sums in d_sums])

    return (swapped(all_h[1:]), last_h), gradient


def _forward(products: Any, h: Any, recurrent_kernel: Any, bias: Any) -> tuple[Any, Any, list[Any]]:
    """The loop over time, from the inputs' products [T, B, 3 U]; `bias` [3 U] is of the state's product.

    Returns:
        The last h, all h [T + 1, B, U], beginning with the state before the first token, and the parts of each step,
        four of [T, B, U].
    """
    times, units = times_of(products), recurrent_kernel.shape[0]

    def step(time: Any, h: Any, all_h: Any, all_parts: Any) -> Any:
        parts = _parts(products[time], tf.nn.bias_add(tf.matmul(h, recurrent_kernel), bias))
        z, _, n, _ = parts
        h = z * h + (1 - z) * n
        return time + 1, h, all_h.write(time + 1, h), write_each(all_parts, time, parts)

    before = states(products, units, more=1).write(0, h), [states(products, units) for _ in range(4)]
    _, h, all_h, all_parts = loop(times, step, (tf.constant(0), h, *before))
    return h, all_h.stack(), [part.stack() for part in all_parts]


def _backward(
    products: Any, d_outputs: Any, d_h: Any, all_h: Any, all_parts: list[Any], recurrent_kernel: Any
) -> tuple[Any, Any, Any]:
    """The loop back over time, from the gradients of the outputs [T, B, U] and of the last h [B, U].

    Returns:
        The gradients of the first h, [B, U], and of both products' sums, [T B, 3 U].
    """
    times, units = times_of(products), recurrent_kernel.shape[0]
    transposed = tf.transpose(recurrent_kernel)  # once, outside the loop

    def step(left: Any, d_h: Any, all_d_inputs: Any, all_d_states: Any) -> Any:
        time = times - 1 - left
        d_h += d_outputs[time]
        parts = [part[time] for part in all_parts]
        d_inputs, d_states = _cell_gradient(parts, all_h[time], d_h)
        d_h = d_h * parts[0] + tf.matmul(d_states, transposed)
        return left + 1, d_h, all_d_inputs.write(time, d_inputs), all_d_states.write(time, d_states)

    start = (tf.constant(0), d_h, states(products, 3 * units), states(products, 3 * units))
    _, d_h, *all_sums = loop(times, step, start)
    d_input_sums, d_state_sums = (tf.reshape(sums.stack(), [-1, 3 * units]) for sums in all_sums)
    return d_h, d_input_sums, d_state_sums


def _parts(input_sums: Any, state_sums: Any) -> list[Any]:
    """Update, reset and candidate gates and the state's part of the candidate, [B, U], from both products [B, 3 U]."""
    (z, r, n), (of_z, of_r, of_n) = tf.split(input_sums, 3, axis=1), tf.split(state_sums, 3, axis=1)
    r = tf.sigmoid(r + of_r)
    return [tf.sigmoid(z + of_z), r, tf.tanh(n + r * of_n), of_n]


def _cell_gradient(parts: list[Any], h_before: Any, d_h: Any) -> tuple[Any, Any]:
    """The gradients of both products [B, 3 U], from that of the cell's h [B, U]."""
    z, r, n, of_n = parts
    of_sigmoid = tf.raw_ops.SigmoidGrad
    d_z = of_sigmoid(y=z, dy=d_h * (h_before - n))
    d_n = tf.raw_ops.TanhGrad(y=n, dy=d_h * (1 - z))
    d_r = of_sigmoid(y=r, dy=d_n * of_n)
    return tf.concat([d_z, d_r, d_n], axis=1), tf.concat([d_z, d_r, d_n * r], axis=1)
