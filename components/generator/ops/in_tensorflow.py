"""`Ops` for TensorFlow: for many texts side by side, in a graph that XLA may compile."""

from typing import Any

from components.artifacts.tensorflow import tf


def zero() -> Any:
    return tf.constant(0)


def full(batch: int, width: int, value: int, dtype: str) -> Any:
    return tf.fill([batch, width], tf.cast(value, dtype))


def arange(count: int) -> Any:
    return tf.range(count)


def floats(values: Any) -> Any:
    return tf.cast(values, tf.float32)


def reshape(values: Any, shape: tuple[int, ...]) -> Any:
    return tf.reshape(values, shape)


def tile(values: Any, times: int) -> Any:
    return tf.tile(values, [times])


def repeat(values: Any, times: int) -> Any:
    return tf.repeat(values, times)


def concat(one: Any, other: Any) -> Any:
    return tf.concat([one, other], axis=1)


def split(values: Any, parts: int) -> Any:
    return tf.split(values, parts, axis=1)


def gather(table: Any, rows: Any) -> Any:
    return tf.gather(table, rows)


def tanh(values: Any) -> Any:
    return tf.tanh(values)


def sigmoid(values: Any) -> Any:
    return tf.sigmoid(values)


def exp(values: Any) -> Any:
    return tf.exp(values)


def where(condition: Any, one: Any, other: Any) -> Any:
    return tf.where(condition, one, other)


def maximum(one: Any, other: Any) -> Any:
    return tf.maximum(one, other)


def minimum(one: Any, other: Any) -> Any:
    return tf.minimum(one, other)


def column(values: Any) -> Any:
    return values[:, None]


def count(conditions: Any) -> Any:
    return tf.reduce_sum(tf.cast(conditions, tf.int32), axis=-1)


def argmax(values: Any) -> Any:
    return tf.argmax(values, axis=-1, output_type=tf.int32)


def highest(values: Any) -> Any:
    return tf.reduce_max(values, axis=-1)


def kth_highest(values: Any, k: int) -> Any:
    return tf.math.top_k(values, k).values[..., -1]


def descending(values: Any) -> Any:
    return tf.sort(values, direction="DESCENDING", axis=-1)


def softmax(values: Any) -> Any:
    return tf.nn.softmax(values, axis=-1)


def cumulative(values: Any) -> Any:
    return tf.cumsum(values, axis=-1)


def sum_before(values: Any) -> Any:
    return tf.cumsum(values, axis=-1, exclusive=True)


def pick(values: Any, places: Any) -> Any:
    return tf.gather(values, places, batch_dims=1)
