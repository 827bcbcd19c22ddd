"""A next token that depends on nothing before it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from components.artifacts.tensorflow import tf


class Indifferent:
    """Says the same logits [V] whatever it read."""

    def __init__(self, logits: ArrayLike) -> None:
        self._logits = np.asarray(logits, np.float32)

    def zero_states(self, batch: int) -> list[Any]:
        return [tf.zeros([batch, 1], tf.int32)]

    def read(self, ids: Any, states: Sequence[Any]) -> list[Any]:
        return [states[0] + ids[:, None]]

    def logits(self, states: Sequence[Any]) -> Any:
        return tf.tile(tf.constant(self._logits)[None], [states[0].shape[0], 1])
