"""A text's ids in the CPU's memory, where graphs read them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.artifacts.tensorflow import tf

HOST = "CPU:0"
"""The device of the text, and of the data order: a few integers per train step."""


class Text:
    """The ids [tokens] of a split, always in the CPU's memory; a device receives windows of them.

    A GPU has no kernel that gathers bytes out of a tensor, so a text on the GPU would be copied back to the CPU. It is
    a variable because a loop on a GPU copies all tensors that its body reads, but only the handle of a variable.
    """

    def __init__(self, ids: NDArray[np.unsignedinteger]) -> None:
        """Take the ids; nobody may write to them afterwards, since they may be shared."""
        with tf.device(HOST):
            self.variable = tf.Variable(tf.constant(_Uncopied(ids)), trainable=False)

    def windows(self, starts: Any, size: int) -> Any:
        """The `size` ids from each of int64 starts [B] on: int32 [B, size]."""
        with tf.device(HOST):
            places = starts[:, None] + tf.range(size, dtype=tf.int64)
            return tf.cast(tf.gather(self.variable, places), tf.int32)


class _Uncopied:
    """An array that tf.constant copies only once: otherwise a large corpus would be in memory three times."""

    def __init__(self, array: NDArray[Any]) -> None:
        self._array = array

    def __array__(self, dtype: Any = None, copy: Any = None) -> NDArray[Any]:
        return self._array
