"""Which of a dataset's tokens each train step reads.

The order depends on (seed, train step) alone, so the position in the data is one integer. Both orders are computed
inside TensorFlow's graph: nothing is read, shuffled or queued outside of the train step.
"""

from typing import Any, Protocol

from components.artifacts.errors import ArtifactError
from components.artifacts.records import window_count
from components.artifacts.tensorflow import tf


class Order(Protocol):
    """Which positions of the training text each train step reads."""

    steps_per_epoch: int

    def starts(self, train_step: Any) -> Any:
        """The starts of the windows of an int64 train step: int64 [B]."""
        ...


class ShuffledWindows:
    """Every window once per epoch, in a new random order each epoch; an epoch's last batch may be smaller."""

    def __init__(self, *, tokens: int, length: int, step: int, batch: int, seed: int) -> None:
        self._windows = window_count(tokens, length, step)
        self._step, self._batch, self._seed = step, batch, seed
        self.steps_per_epoch = -(-self._windows // batch)

    def starts(self, train_step: Any) -> Any:
        """The starts of the windows of an int64 train step: int64 [B]."""
        epoch = train_step // self.steps_per_epoch
        first = (train_step % self.steps_per_epoch) * self._batch
        places = tf.range(first, tf.minimum(first + self._batch, self._windows), dtype=tf.int64)
        seed = tf.stack([tf.constant(self._seed, tf.int64), epoch])
        last = tf.constant(self._windows - 1, tf.int64)
        return self._step * tf.random.experimental.index_shuffle(places, seed=seed, max_index=last)


class Lanes:
    """The text cut into `batch` lanes, each read from start to end, for carried state.

    An epoch leaves out less than two windows per lane; a random offset decides which tokens these are.
    """

    def __init__(self, *, tokens: int, length: int, batch: int, seed: int) -> None:
        self._length, self._batch, self._seed = length, batch, seed
        self.steps_per_epoch = max((tokens - length) // (batch * length), 0)
        if not self.steps_per_epoch:
            raise ArtifactError(
                f"the training split has {tokens:,} tokens, too few for {batch} lanes of windows of {length}: "
                f"{batch * length + length:,} are needed; lower train.batch or vectorize.length"
            )
        self._spare = tokens - 1 - self.steps_per_epoch * length * batch

    def starts(self, train_step: Any) -> Any:
        """The starts of the windows of an int64 train step: int64 [B]."""
        epoch = train_step // self.steps_per_epoch
        seed = tf.stack([tf.constant(self._seed, tf.int64), epoch])
        offset = tf.random.stateless_uniform([], seed, 0, self._spare + 1, tf.int64)
        lanes = tf.range(self._batch, dtype=tf.int64) * (self.steps_per_epoch * self._length)
        return offset + lanes + (train_step % self.steps_per_epoch) * self._length
