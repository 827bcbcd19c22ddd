"""How certain a mean over one text is: a confidence interval by the circular block bootstrap.

Neighbouring tokens are not independent: a hard passage is hard for many tokens. So contiguous blocks are resampled
instead of tokens, from the text closed to a ring, so that every token is equally likely (Politis and Romano, "A
circular block-resampling procedure for stationary data", 1992). The interval consists of the resampled means'
percentiles.
"""

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
RESAMPLES = 2_000
# Larger if there would be too many blocks, smaller if too few.
BLOCK_TOKENS = 1_000
MOST_BLOCKS = 100
FEWEST_BLOCKS = 30


def block_length(count: int) -> int:
    """How many of `count` values a block has."""
    return max(-(-count // MOST_BLOCKS), min(BLOCK_TOKENS, count // FEWEST_BLOCKS), 1)


def mean_interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """The 95 % confidence interval of the mean of values [N], N > 0, in the order of their text."""
    block = block_length(len(values))
    ring = np.concatenate([[0.0], np.cumsum(np.concatenate([values, values[:block]]))])
    sums = ring[block:] - ring[:-block]  # of the block that begins at each value; the last is the first again
    blocks = -(-len(values) // block)
    begins = np.random.default_rng(1).integers(0, len(values), (RESAMPLES, blocks))
    means = sums[begins].sum(axis=1) / (blocks * block)
    low, high = np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)
