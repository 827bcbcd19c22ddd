"""A text's ids where graphs read them: in the CPU's memory."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.artifacts.tensorflow import tf

HOST = "CPU:0"
"""The device of the data order, a few integers a train step, and of the text."""


class Text:
    """The ids [tokens] of a split, kept in the CPU's memory wherever training runs: a device gets windows of them.

    A GPU has no kernel that gathers bytes out of a tensor, so a text held by one would go back to the CPU. It is a
    variable because a loop on a GPU takes all tensors that its body reads along, and a variable's handle alone.
    """

    def __init__(self, ids: NDArray[np.unsignedinteger]) -> None:
        """Take the ids; nothing may write to them any more, since they may be shared."""
        with tf.device(HOST):
            self.variable = tf.Variable(tf.constant(_Uncopied(ids)), trainable=False)

    def windows(self, starts: Any, size: int) -> Any:
        """The `size` ids from each of int64 starts [B] on: int32 [B, size]."""
        with tf.device(HOST):
            places = starts[:, None] + tf.range(size, dtype=tf.int64)
            return tf.cast(tf.gather(self.variable, places), tf.int32)


class _Uncopied:
    """An array that tf.constant does not copy on its way to the copy it keeps: a large corpus would be held thrice."""

    def __init__(self, array: NDArray[Any]) -> None:
        self._array = array

    def __array__(self, dtype: Any = None, copy: Any = None) -> NDArray[Any]:
        return self._array
