"""Held-out loss by windows: the state is zero at the start of each, whatever the network was trained for."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.artifacts.tensorflow import tf
from components.generator.architecture import Architecture
from components.generator.network import build
from components.generator.text import Text

WINDOWS_AT_ONCE = 512


class WindowLoss:
    """The mean nats of a network's targets in windows of some ids.

    Args:
        architecture: the network's shape; its weights come with each call.
        ids: the held-out text [tokens].
        window: tokens that are read from a zero state.
        step: distance between windows; None for windows that lie end to end, of which all targets count. With a step
            only the token after each window counts, as in the tutorials.
    """

    def __init__(
        self, architecture: Architecture, ids: NDArray[np.unsignedinteger], *, window: int, step: int | None
    ) -> None:
        self._network = build(architecture, length=window, on_cpu=True)
        self._text = Text(ids)
        self._window = window
        self._all_targets = step is None
        self._starts = np.arange(0, len(ids) - window, step or window)
        self._nats = tf.function(self._nats_of, reduce_retracing=True)

    def __call__(self, weights: list[NDArray[Any]]) -> float:
        self._network.set_weights(weights)
        parts = np.array_split(self._starts, -(-len(self._starts) // WINDOWS_AT_ONCE))
        nats = sum(float(self._nats(tf.constant(part))) for part in parts)
        return nats / (len(self._starts) * (self._window if self._all_targets else 1))

    def _nats_of(self, starts: Any) -> Any:
        tokens = self._text.windows(starts, self._window + 1)
        logits, labels = self._network(tokens[:, :-1], training=False), tokens[:, 1:]
        if not self._all_targets:
            logits, labels = logits[:, -1:], labels[:, -1:]
        return tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
