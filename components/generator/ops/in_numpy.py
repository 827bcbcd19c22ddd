"""`Ops` by NumPy: nothing to wait for, and one text at a time soonest."""

from typing import Any

import numpy as np

exp = np.exp
where = np.where
maximum = np.maximum
minimum = np.minimum


def column(values: Any) -> Any:
    return values[:, None] if values.ndim else values


def count(conditions: Any) -> Any:
    return conditions.sum(axis=-1, dtype=np.int32) if conditions.ndim > 1 else np.count_nonzero(conditions)


def argmax(values: Any) -> Any:
    return values.argmax(axis=-1)


def highest(values: Any) -> Any:
    return values.max(axis=-1)


def kth_highest(values: Any, k: int) -> Any:
    return np.partition(values, -k)[..., -k]


def descending(values: Any) -> Any:
    return np.sort(values)[..., ::-1]


def softmax(values: Any) -> Any:
    weights = np.exp(values - values.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def cumulative(values: Any) -> Any:
    return np.add.accumulate(values, axis=-1)


def sum_before(values: Any) -> Any:
    sums = np.zeros_like(values)
    np.add.accumulate(values[..., :-1], axis=-1, out=sums[..., 1:])
    return sums


def pick(values: Any, places: Any) -> Any:
    return values[np.arange(len(values)), places] if values.ndim > 1 else values[places]
