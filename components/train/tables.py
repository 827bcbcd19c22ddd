"""The embedding tables of n-grams, and how a train step updates them.

They hold most of a network's numbers, and a train step reads few of their rows, so updating all rows would take longer
than everything else that an optimizer does. Here only the rows that were read are updated, and all rows decay.
"""

from collections.abc import Callable, Sequence
from typing import Any

from components.artifacts.tensorflow import tf
from components.train.config import TrainConfig


class Tables:
    """The tables of a network, with the state of their update.

    A row that a train step read moves against its gradient, divided by the root of the gradient's mean square: Adam
    without momentum (Kingma and Ba, arXiv 1412.6980). There is one mean square per row, as in row-wise AdaGrad
    (Naumov et al., arXiv 1906.00091). It is a mean over all train steps: the next step that reads the row accounts for
    the steps that did not, whose gradients were 0.

    Args:
        config: the settings.
        network: the result of `components.generator.network.build`.
        ngrams: the length of the longest n-grams with a table; 1 for none.
        on_gpu: whether training runs on GPUs.
    """

    def __init__(self, config: TrainConfig, network: Any, ngrams: int, *, on_gpu: bool = False) -> None:
        self._config = config
        self._on_gpu = on_gpu
        self.trained = [network.get_layer(f"embedding_{n}").embeddings for n in range(2, ngrams + 1)]
        sizes = [(table.shape[0], 1) for table in self.trained]
        self._squares = [tf.Variable(tf.zeros(size), trainable=False) for size in sizes]
        self._steps = [tf.Variable(tf.zeros(size, tf.int64), trainable=False) for size in sizes]

    @property
    def variables(self) -> list[Any]:
        """The mean squares of all tables, float32 [rows, 1], then each row's last train step, int64 [rows, 1]."""
        return [*self._squares, *self._steps]

    def gathered(self, gradient: Any, context: Any) -> Any:
        """A table's gradient: IndexedSlices over all devices, with each row once."""
        values, rows = gradient.values, gradient.indices
        if context.num_replicas_in_sync > 1:
            values, rows = context.all_gather(values, axis=0), context.all_gather(rows, axis=0)
        once, place = tf.unique(rows)
        return tf.IndexedSlices(tf.math.unsorted_segment_sum(values, place, tf.size(once)), once)

    def update(self, gradients: Sequence[Any], rate: Any, train_step: Any, context: Any) -> None:
        """Update the tables by their gradients from `gathered` at this learning rate."""
        count = train_step + 1
        for gradient, table, squares, steps in zip(gradients, self.trained, self._squares, self._steps, strict=True):
            rows, size = gradient.indices, table.shape[0]
            square = self._squares_after(gradient, squares, steps, count)
            unbiased = square / (1 - self._config.beta_2 ** tf.cast(count, tf.float32))
            change = rate * self._config.ngram_rate * gradient.values / (tf.sqrt(unbiased) + _EPSILON)
            was_read = _spread(tf.ones_like(square), rows, size) > 0
            _on_each_device(context, squares, _put, tf.where(was_read, _spread(square, rows, size), squares))
            _on_each_device(context, steps, _put, tf.where(was_read, count, steps))
            kept = 1 - rate * self._config.ngram_decay  # most n-grams are too rare for a reliable estimate
            _on_each_device(context, table.value, self._subtract_and_fade, rows, change, kept)

    def _squares_after(self, gradient: Any, squares: Any, steps: Any, count: Any) -> Any:
        """The mean squares [R, 1] of the rows that the count-th step read."""
        decay = tf.constant(self._config.beta_2)
        since = tf.cast(count - tf.gather(steps, gradient.indices), tf.float32)
        square = tf.reduce_mean(tf.square(gradient.values), axis=1, keepdims=True)
        return tf.gather(squares, gradient.indices) * decay**since + (1 - decay) * square

    def _subtract_and_fade(self, table: Any, rows: Any, change: Any, kept: Any) -> Any:
        """Subtract [R, width] from these rows of a table, then multiply all rows by the share that is kept."""
        faded, change = table * kept, change * kept
        if self._on_gpu:  # a deterministic scatter would copy the table to the CPU and back
            return table.assign(faded - _spread(change, rows, table.shape[0]))
        # After a scatter into the variable TensorFlow would copy all of it on each read.
        return table.assign(tf.tensor_scatter_nd_sub(faded, rows[:, None], change))


_EPSILON = 1e-7


def _on_each_device(context: Any, variable: Any, change: Callable[..., Any], *arguments: Any) -> None:
    """Update a variable's copy on each device with values that are the same on all devices."""
    context.merge_call(
        lambda strategy, variable, *arguments: strategy.extended.update(variable, change, arguments),
        (variable, *arguments),
    )


def _spread(values: Any, rows: Any, size: int) -> Any:
    """Values [R, ...] at their rows of [size, ...], and 0 elsewhere."""
    return tf.math.unsorted_segment_sum(values, rows, size)


def _put(variable: Any, values: Any) -> Any:
    return variable.assign(values)
