"""Keras's GRU layer with our own training pass for a CPU, for the reasons given in `lstm_on_cpu`.

Shapes are named by their axes: B batch, T time (tokens), D width of the input, U units.
"""

from typing import Any

from components.artifacts.tensorflow import keras, tf
from components.generator.cells.looping import input_gradient, input_products, loop, swapped, write_each


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
    times = tf.shape(inputs)[1] if inputs.shape[1] is None else inputs.shape[1]
    units = recurrent_kernel.shape[0]
    flat_inputs, products = input_products(inputs, kernel, bias[0])

    def step(time: Any, h: Any, all_h: Any, all_parts: Any) -> Any:
        parts = _parts(products[time], tf.nn.bias_add(tf.matmul(h, recurrent_kernel), bias[1]))
        z, _, n, _ = parts
        h = z * h + (1 - z) * n
        return time + 1, h, all_h.write(time + 1, h), write_each(all_parts, time, parts)

    def array(steps: Any, width: int = units) -> Any:
        return tf.TensorArray(h.dtype, steps, element_shape=[h.shape[0], width])

    before = array(times + 1).write(0, h), [array(times) for _ in range(4)]
    _, last_h, *after = loop(times, step, (tf.constant(0), h, *before))
    all_h = after[0].stack()  # [T + 1, B, U], beginning with the state before the first token
    all_parts = [part.stack() for part in after[1]]

    def gradient(d_outputs: Any, d_last_h: Any) -> tuple[Any, ...]:
        d_outputs = swapped(d_outputs)
        transposed = tf.transpose(recurrent_kernel)  # once, outside the loop

        def step_back(left: Any, d_h: Any, all_d_inputs: Any, all_d_states: Any) -> Any:
            time = times - 1 - left
            d_h += d_outputs[time]
            parts = [part[time] for part in all_parts]
            d_inputs, d_states = _cell_gradient(parts, all_h[time], d_h)
            d_h = d_h * parts[0] + tf.matmul(d_states, transposed)
            return left + 1, d_h, all_d_inputs.write(time, d_inputs), all_d_states.write(time, d_states)

        start = (tf.constant(0), d_last_h, array(times, 3 * units), array(times, 3 * units))
        _, d_h, *d_sums = loop(times, step_back, start)
        d_input_sums, d_state_sums = (tf.reshape(sums.stack(), [-1, 3 * units]) for sums in d_sums)  # [T B, 3 U]
        return (
            input_gradient(d_input_sums, kernel, products),
            d_h,
            tf.matmul(flat_inputs, d_input_sums, transpose_a=True),
            tf.matmul(tf.reshape(all_h[:-1], [-1, units]), d_state_sums, transpose_a=True),
            tf.stack([tf.reduce_sum(d_input_sums, axis=0), tf.reduce_sum(d_state_sums, axis=0)]),
        )

    return (swapped(all_h[1:]), last_h), gradient


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
