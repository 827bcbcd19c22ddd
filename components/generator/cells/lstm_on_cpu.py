"""Keras's LSTM layer with our own training pass for a CPU: the same weights, outputs and gradients, but faster.

Keras multiplies by the transposed recurrent kernel at each time step of the backward pass, and TensorFlow's CPU
product packs a transposed matrix each time, several times more slowly than a plain one. Here the kernel is transposed
once, before a loop over time. Next to a product the graph optimizer would fold the transposition back into it, but it
does not look into a loop's body. The input product of all time steps is one product, and so are the gradients of the
kernels. A loop also keeps the graph small for windows of any length.

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


class CPULSTM(keras.layers.LSTM):  # type: ignore[misc]  # Keras has no types
    """Keras's LSTM layer, computed by `lstm`."""

    def inner_loop(self, sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> Any:  # noqa: ARG002
        """The last output [B, U], all outputs [B, T, U] and the states after them; Keras's own hook.

        Raises:
            ValueError: a mask is given, or an option of Keras's that `lstm` does not support.
        """
        if mask is not None or self.dropout or self.recurrent_dropout or self.go_backwards:
            raise ValueError("this layer takes no mask, and neither dropout of its own nor go_backwards")
        weights = (self.cell.kernel, self.cell.recurrent_kernel, self.cell.bias)
        kernel, recurrent_kernel, bias = (tf.convert_to_tensor(keras.ops.cast(w, sequences.dtype)) for w in weights)
        outputs, h, c = lstm(sequences, *initial_state, kernel, recurrent_kernel, bias)
        return h, outputs, [h, c]


@tf.custom_gradient  # type: ignore[untyped-decorator]  # TensorFlow has no types
def lstm(inputs: Any, h: Any, c: Any, kernel: Any, recurrent_kernel: Any, bias: Any) -> Any:
    """An LSTM over inputs, with its gradient.

    The gates are Keras's, in its order: input, forget, candidate, output.

    Args:
        inputs: [B, T, D], float32 or bfloat16 like all arguments.
        h: the state before the first token, [B, U].
        c: the cell's state before the first token, [B, U].
        kernel: [D, 4 U].
        recurrent_kernel: [U, 4 U].
        bias: [4 U].

    Returns:
        The outputs [B, T, U], and h and c after the last token, [B, U].
    """
    flat_inputs, products = input_products(inputs, kernel, bias)
    last_h, last_c, all_h, all_c, all_gates = _forward(products, h, c, recurrent_kernel)

    def gradient(d_outputs: Any, d_last_h: Any, d_last_c: Any) -> tuple[Any, ...]:
        """The gradients of all arguments, in their order."""
        d_last = d_last_h, d_last_c
        d_h, d_c, d_sums = _backward(products, swapped(d_outputs), *d_last, all_c, all_gates, recurrent_kernel)
        d_inputs = input_gradient(d_sums, kernel, products)
        d_kernels = kernel_gradients(flat_inputs, all_h, d_sums, d_sums)
        return d_inputs, d_h, d_c, *d_kernels, tf.reduce_sum(d_sums, axis=0)

    return (swapped(all_h[1:]), last_h, last_c), gradient


def _forward(products: Any, h: Any, c: Any, recurrent_kernel: Any) -> tuple[Any, ...]:
    """The loop over time, from the inputs' products [T, B, 4 U].

    Returns:
        The last h and c, all h [T + 1, B, U] and all c, both beginning with the state before the first token, and the
        four gates of each step; c and the gates as TensorArrays, to be read while going back.
    """
    times, units = times_of(products), recurrent_kernel.shape[0]

    def step(time: Any, h: Any, c: Any, all_h: Any, all_c: Any, all_gates: Any) -> Any:
        gates = _gates(products[time] + tf.matmul(h, recurrent_kernel))
        i, f, g, o = gates
        c = f * c + i * g
        h = o * tf.tanh(c)
        return time + 1, h, c, all_h.write(time + 1, h), all_c.write(time + 1, c), write_each(all_gates, time, gates)

    all_h, all_c = (states(products, units, more=1, read_once=False).write(0, first) for first in (h, c))
    all_gates = [states(products, units, read_once=False) for _ in range(4)]
    _, h, c, all_h, all_c, all_gates = loop(times, step, (tf.constant(0), h, c, all_h, all_c, all_gates))
    return h, c, all_h.stack(), all_c, all_gates


def _backward(
    products: Any, d_outputs: Any, d_h: Any, d_c: Any, all_c: Any, all_gates: list[Any], recurrent_kernel: Any
) -> tuple[Any, Any, Any]:
    """The loop back over time, from the gradients of the outputs [T, B, U] and of the last states [B, U].

    Returns:
        The gradients of the first h and c, [B, U], and of all gates' sums, [T B, 4 U].
    """
    times, units = times_of(products), recurrent_kernel.shape[0]
    transposed = tf.transpose(recurrent_kernel)  # once, outside the loop

    def step(left: Any, d_h: Any, d_c: Any, all_d_sums: Any) -> Any:
        time = times - 1 - left
        gates = [gate.read(time) for gate in all_gates]
        d_sums, d_c = _cell_gradient(gates, all_c.read(time), all_c.read(time + 1), d_outputs[time] + d_h, d_c)
        return left + 1, tf.matmul(d_sums, transposed), d_c, all_d_sums.write(time, d_sums)

    start = (tf.constant(0), d_h, d_c, states(products, 4 * units))
    _, d_h, d_c, all_d_sums = loop(times, step, start)
    return d_h, d_c, tf.reshape(all_d_sums.stack(), [-1, 4 * units])


def _gates(sums: Any) -> list[Any]:
    """The four gates [B, U] from their sums [B, 4 U]."""
    i, f, g, o = tf.split(sums, 4, axis=1)
    return [tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)]


def _cell_gradient(gates: list[Any], c_before: Any, c: Any, d_h: Any, d_c: Any) -> tuple[Any, Any]:
    """The gradients of the gates' sums [B, 4 U] and of the previous c, from those of the cell's h and c [B, U]."""
    i, f, g, o = gates
    of_sigmoid, of_tanh = tf.raw_ops.SigmoidGrad, tf.raw_ops.TanhGrad
    tanh_c = tf.tanh(c)
    d_c += of_tanh(y=tanh_c, dy=d_h * o)
    d_sums = [
        of_sigmoid(y=i, dy=d_c * g),
        of_sigmoid(y=f, dy=d_c * c_before),
        of_tanh(y=g, dy=d_c * i),
        of_sigmoid(y=o, dy=d_h * tanh_c),
    ]
    return tf.concat(d_sums, axis=1), d_c * f
