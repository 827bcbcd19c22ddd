"""The plain models that a network is compared with: the same tokens predicted from counts of runs of tokens.

Runs of n tokens are interpolated with those of n - 1 by Witten and Bell's rule ("The zero-frequency problem", 1991, in
the interpolated form of Chen and Goodman, "An empirical study of smoothing techniques for language modeling", 1998):

    p(w | h) = (c(h w) + t(h) p(w | h')) / (c(h) + t(h))

where c counts in the training text, t(h) is how many different tokens follow h there, h' is h without its first token,
and the probability below the empty context is 1 / V. Order 0 is uniform, order 1 the frequencies of tokens.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.command import log

LONGEST = {"characters": 6, "words": 3, "bpe": 4, "bytes": 6}
CHUNK_TOKENS = 1 << 24
_KEY_BITS = 63


@dataclass(frozen=True, kw_only=True)
class _Table:
    """Runs of one length as sorted int64 keys with their counts, and the same for their contexts."""

    runs: NDArray[np.int64]
    counts: NDArray[np.int64]
    contexts: NDArray[np.int64]
    context_counts: NDArray[np.int64]
    followers: NDArray[np.int64]


class NGrams:
    """An interpolated n-gram model of a training text.

    Args:
        ids: the text [tokens].
        vocabulary: how many tokens there are (V).
        order: the longest run that is counted; `longest_order` says what fits.
    """

    def __init__(self, ids: NDArray[np.integer], vocabulary: int, order: int) -> None:
        self._vocabulary = vocabulary
        self._tables = [_table(ids, vocabulary, length) for length in range(1, order + 1)]

    def nats(self, ids: NDArray[np.integer], order: int | None = None) -> NDArray[np.float64]:
        """The nats of each token of ids [N] after those before it, [N], with runs of up to `order` tokens."""
        probability = np.full(len(ids), 1 / self._vocabulary)
        for length, table in enumerate(self._tables[:order], start=1):
            runs = run_keys(ids, length, self._vocabulary)
            count = _looked_up(runs, table.runs, table.counts)
            contexts = runs // self._vocabulary
            total = _looked_up(contexts, table.contexts, table.context_counts)
            followers = _looked_up(contexts, table.contexts, table.followers)
            below = probability[length - 1 :]
            interpolated = (count + followers * below) / np.maximum(total + followers, 1)
            probability[length - 1 :] = np.where(total > 0, interpolated, below)
        costs: NDArray[np.float64] = -np.log(probability)
        return costs


def longest_order(vocabulary: int, kind: str) -> int:
    """The order for tokens of a kind: a run's ids must fit one 63-bit number."""
    fitting = int(_KEY_BITS / np.log2(max(vocabulary, 2)))
    return min(LONGEST[kind], fitting)


def run_keys(ids: NDArray[np.integer], length: int, vocabulary: int) -> NDArray[np.int64]:
    """Each run of `length` ids as one number in base V: from [N] to int64 [N - length + 1]."""
    count = max(len(ids) - length + 1, 0)
    keys = np.zeros(count, np.int64)
    for place in range(length):
        keys *= vocabulary
        keys += ids[place : place + count]
    return keys


def _table(ids: NDArray[np.integer], vocabulary: int, length: int) -> _Table:
    runs, counts, pace = np.empty(0, np.int64), np.empty(0, np.int64), log.Pace()
    for begin in range(0, max(len(ids) - length + 1, 0), CHUNK_TOKENS):
        part = run_keys(ids[begin : begin + CHUNK_TOKENS + length - 1], length, vocabulary)
        pace.progress(f"runs of {length} tokens: {begin:,}/{len(ids):,} counted")
        new, new_counts = np.unique(part, return_counts=True)
        runs, counts = _summed(np.concatenate([runs, new]), np.concatenate([counts, new_counts]))
    contexts, first, followers = np.unique(runs // vocabulary, return_index=True, return_counts=True)
    return _Table(
        runs=runs,
        counts=counts,
        contexts=contexts,
        context_counts=np.add.reduceat(counts, first) if len(first) else counts,
        followers=followers,
    )


def _summed(keys: NDArray[np.int64], counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Each key once, sorted, with the sum of its counts."""
    order = np.argsort(keys, kind="stable")
    unique, first = np.unique(keys[order], return_index=True)
    return unique, np.add.reduceat(counts[order], first)


def _looked_up(keys: NDArray[np.int64], known: NDArray[np.int64], values: NDArray[np.int64]) -> NDArray[np.int64]:
    """The values of keys [N] among sorted known ones [K], 0 for unknown keys."""
    if not len(known):
        return np.zeros(len(keys), np.int64)
    places = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return np.where(known[places] == keys, values[places], 0)
