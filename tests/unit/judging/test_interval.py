"""The interval of a mean loss covers the truth as often as it says."""

import numpy as np
import pytest
from numpy.typing import NDArray

from components.judging.interval import block_length, mean_interval


def autocorrelated(count: int, seed: int) -> NDArray[np.float64]:
    """Values with mean 2, each of which keeps nine tenths of the one before."""
    values = np.random.default_rng(seed).normal(size=count + 200)
    for place in range(1, len(values)):
        values[place] += 0.9 * values[place - 1]
    return values[200:] + 2


def test_the_interval_covers_the_truth_as_often_as_it_says_though_neighbours_are_alike() -> None:
    intervals = [mean_interval(autocorrelated(6_000, seed)) for seed in range(200)]
    covered = np.mean([low <= 2 <= high for low, high in intervals])
    assert 0.89 <= covered <= 0.99
    # As if values were independent, it would be four times too narrow.
    widths = np.array([high - low for low, high in intervals])
    alone = 2 * 1.96 * autocorrelated(6_000, 1).std() / np.sqrt(6_000)
    assert 3 < widths.mean() / alone < 5.5


def test_the_interval_holds_the_mean_and_shrinks_with_more_text() -> None:
    widths = []
    for count in (2_000, 32_000):
        values = autocorrelated(count, 3)
        low, high = mean_interval(values)
        assert low < values.mean() < high
        widths.append(high - low)
    assert widths[0] / widths[1] == pytest.approx(4, rel=0.35)


@pytest.mark.parametrize("count", [1, 2, 29, 100])
def test_a_constant_is_certain_however_short(count: int) -> None:
    assert mean_interval(np.full(count, 1.5)) == pytest.approx((1.5, 1.5))


@pytest.mark.parametrize(("count", "block"), [(1, 1), (60, 2), (3_000, 100), (60_000, 1_000), (1_000_000, 10_000)])
def test_a_block_is_long_but_blocks_are_neither_few_nor_many(count: int, block: int) -> None:
    assert block_length(count) == block
