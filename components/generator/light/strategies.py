"""Choosing one text's next token, in NumPy; the rules of `components.generator.strategies`."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_NEVER = np.float32("-inf")


def choose(logits: Floats, uniform: np.float32, temperature: float, *, top_k: int = 0, top_p: float = 1.0) -> int:
    """The id of the next token.

    Args:
        logits: float32 [V].
        uniform: a number in [0, 1): all the chance there is.
        temperature: 0 takes the likeliest token.
        top_k: only the k likeliest tokens; 0 for all.
        top_p: only the likeliest tokens that together have this probability (the nucleus), at that temperature.
    """
    if temperature == 0:
        return int(np.argmax(logits))
    scaled = logits / np.float32(temperature)
    return _draw(_keep_nucleus(_keep_top_k(scaled, top_k), top_p), uniform)


def _keep_top_k(logits: Floats, top_k: int) -> Floats:
    if not 0 < top_k < len(logits):
        return logits
    lowest_kept = np.partition(logits, -top_k)[-top_k]
    return np.where(logits >= lowest_kept, logits, _NEVER)


def _keep_nucleus(logits: Floats, top_p: float) -> Floats:
    if top_p >= 1:
        return logits
    descending = np.sort(logits)[::-1]
    weights = np.exp(descending - descending[0])
    probabilities = weights / weights.sum()
    before = np.concatenate([np.zeros(1, np.float32), np.cumsum(probabilities)[:-1]])
    kept = int(np.count_nonzero(before < np.float32(top_p)))
    return np.where(logits >= descending[max(kept - 1, 0)], logits, _NEVER)


def _draw(logits: Floats, uniform: np.float32) -> int:
    weights = np.exp(logits - logits.max())
    cumulative = np.cumsum(weights)
    reached = int(np.count_nonzero(cumulative <= uniform * cumulative[-1]))
    # Rounding can carry u times the sum up to the sum itself; the last possible token is meant then.
    return min(reached, int(np.flatnonzero(weights)[-1]))
