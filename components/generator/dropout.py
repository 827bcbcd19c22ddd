"""Dropout with cheap masks, for a CPU: 16 random bits decide about a number, where Keras's layer draws 32.

Drawing them is most of what dropout costs on a CPU. With 16 bits a share is exact to 1/131,072, and what is kept is
scaled by the share that is really kept.
"""

import math
from typing import Any

from components.artifacts.tensorflow import keras, tf

_VALUES = 1 << 16


class CPUDropout(keras.layers.Dropout):  # type: ignore[misc]  # Keras has no types
    """Keras's dropout layer with masks by `mask`."""

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The inputs with dropout while training; otherwise the inputs themselves."""
        if not training or not self.rate:
            return inputs
        return inputs * mask(tf.shape(inputs), self.rate, self.seed_generator.next(), inputs.dtype)


def mask(shape: Any, share: float, seed: Any, dtype: Any) -> Any:
    """A mask to multiply numbers with, which drops a share of them.

    Args:
        shape: of the mask, a tensor or a shape.
        share: from 0 to less than 1, rounded to a multiple of 1/65,536.
        seed: integers [2] that determine the mask.
        dtype: a floating-point type.

    Returns:
        0 for a number that is dropped, and 1 / (1 - share) for one that is kept.
    """
    dropped = min(round(share * _VALUES), _VALUES - 1)
    count = tf.reduce_prod(shape) if tf.is_tensor(shape) else math.prod(shape)
    pairs = tf.random.stateless_uniform([(count + 1) // 2], tf.cast(seed, tf.int64), None, None, tf.int32)
    values = tf.reshape(tf.reshape(tf.bitcast(pairs, tf.uint16), [-1])[:count], shape)
    return tf.cast(values >= tf.constant(dropped, tf.uint16), dtype) * tf.cast(_VALUES / (_VALUES - dropped), dtype)
