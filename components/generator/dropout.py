"""Dropout with cheap masks, for a CPU: 16 random bits decide over a number where Keras's layer draws 32.

Drawing is most of what dropout costs there. With 16 bits a share is met to 1/131,072, and what is kept is scaled by
the share that really is.
"""

import math
from typing import Any

from components.artifacts.tensorflow import keras, tf

_VALUES = 1 << 16


class CPUDropout(keras.layers.Dropout):  # type: ignore[misc]  # Keras has no types
    """Keras's dropout layer with masks by `mask`."""

    def call(self, inputs: Any, training: bool = False) -> Any:
        """What is kept of the inputs, scaled, while training; the inputs themselves otherwise."""
        if not training or not self.rate:
            return inputs
        return inputs * mask(tf.shape(inputs), self.rate, self.seed_generator.next(), inputs.dtype)


def mask(shape: Any, share: float, seed: Any, dtype: Any) -> Any:
    """What to multiply by to drop a share of some numbers.

    Args:
        shape: of the mask, a tensor or a shape.
        share: from 0 to less than 1, rounded to a multiple of 1/65,536.
        seed: integers [2] that the mask follows from.
        dtype: a float's.

    Returns:
        0 where a number is dropped, and one over the share that is kept elsewhere.
    """
    dropped = min(round(share * _VALUES), _VALUES - 1)
    count = tf.reduce_prod(shape) if tf.is_tensor(shape) else math.prod(shape)
    pairs = tf.random.stateless_uniform([(count + 1) // 2], tf.cast(seed, tf.int64), None, None, tf.int32)
    values = tf.reshape(tf.reshape(tf.bitcast(pairs, tf.uint16), [-1])[:count], shape)
    return tf.cast(values >= tf.constant(dropped, tf.uint16), dtype) * tf.cast(_VALUES / (_VALUES - dropped), dtype)
