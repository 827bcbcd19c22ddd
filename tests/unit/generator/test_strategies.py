"""The rules that choose a token keep what they say, and choose the same in NumPy and in TensorFlow."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from components.generator.ops import Ops, in_numpy, in_tensorflow
from components.generator.randomness import uniform_stream
from components.generator.strategies import Strategy, choose, choose_at, draw, keep_min_p, keep_nucleus, keep_top_k

LOGITS = np.array([0.3, -1.2, 2.0, 0.9, -0.4, 1.5, 0.0], np.float32)
HIGHEST_UNIFORM = np.float32(1 - 2**-24)

# TensorFlow takes subnormal numbers for zero, which makes ties of what NumPy distinguishes.
numbers = st.floats(-8, 8, width=32, allow_subnormal=False)
rows_of_logits = st.lists(numbers, min_size=2, max_size=12).map(lambda row: np.array(row, "f4"))


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    weights = np.exp(logits.astype(np.float64) - logits.max())
    return weights / weights.sum()


def _counts(uniforms: NDArray[np.float32], temperature: float, **rules: float) -> NDArray:
    """How often each token of LOGITS is chosen."""
    rows = len(uniforms)
    logits, temperatures = np.tile(LOGITS, (rows, 1)), np.full(rows, temperature, "f4")
    chosen = choose(in_tensorflow, logits, uniforms, temperatures, Strategy(**rules))
    return np.bincount(chosen, minlength=len(LOGITS))


def _grid(size: int) -> NDArray[np.float32]:
    return ((np.arange(size) + 0.5) / size).astype(np.float32)


@given(logits=rows_of_logits, uniform=st.floats(0, float(HIGHEST_UNIFORM), width=32))
@settings(max_examples=50, deadline=None)
def test_temperature_zero_takes_the_likeliest(logits: NDArray[np.float32], uniform: float) -> None:
    chosen = choose(in_tensorflow, logits[None], np.float32([uniform]), np.zeros(1, np.float32), Strategy())
    assert chosen.numpy().tolist() == [int(logits.argmax())]


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_an_even_grid_of_randomness_gives_every_token_its_share(temperature: float) -> None:
    expected = 4096 * _softmax(LOGITS / temperature)
    assert np.abs(_counts(_grid(4096), temperature) - expected).max() <= 1


@pytest.mark.parametrize("temperature", [0.7, 1.0])
def test_the_texts_own_randomness_follows_softmax_by_chi_square(temperature: float) -> None:
    expected = 20_000 * _softmax(LOGITS / temperature)
    counts = _counts(uniform_stream(1, 0, 20_000), temperature)
    assert ((counts - expected) ** 2 / expected).sum() < 22.46  # 6 degrees of freedom, 0.1 %


@pytest.mark.parametrize("top_k", [1, 3, 6])
def test_top_k_draws_from_the_k_likeliest_in_their_proportions(top_k: int) -> None:
    kept = np.argsort(-LOGITS)[:top_k]
    expected = np.zeros(len(LOGITS))
    expected[kept] = 4096 * _softmax(LOGITS[kept] / 1.5)
    assert np.abs(_counts(_grid(4096), 1.5, top_k=top_k) - expected).max() <= 1


@pytest.mark.parametrize("top_k", [0, 7, 100])
def test_top_k_of_none_or_all_changes_nothing(top_k: int) -> None:
    np.testing.assert_array_equal(keep_top_k(in_numpy, LOGITS[None], top_k), LOGITS[None])


def test_top_k_keeps_equals_of_the_last_one() -> None:
    kept = keep_top_k(in_numpy, np.float32([[1, 3, 2, 2, 0]]), 2)
    np.testing.assert_array_equal(kept, [[-np.inf, 3, 2, 2, -np.inf]])


@given(logits=rows_of_logits, top_p=st.floats(0.01, 0.99))
@settings(max_examples=100, deadline=None)
def test_the_nucleus_is_the_fewest_tokens_that_reach_top_p(logits: NDArray[np.float32], top_p: float) -> None:
    descending = np.sort(logits)[::-1]
    reached = np.cumsum(_softmax(descending))
    assume(np.abs(reached - top_p).min() > 1e-5)  # rounding decides there
    lowest = descending[np.argmax(reached >= top_p)]
    np.testing.assert_array_equal(
        keep_nucleus(in_numpy, logits[None], top_p)[0], np.where(logits >= lowest, logits, -np.inf)
    )


@pytest.mark.parametrize(("min_p", "count"), [(0.0, 7), (0.01, 7), (0.3, 3), (1.0, 1)])
def test_min_p_keeps_what_has_this_share_of_the_likeliest_ones_probability(min_p: float, count: int) -> None:
    shares = _softmax(LOGITS) / _softmax(LOGITS).max()
    kept = keep_min_p(in_numpy, LOGITS[None], min_p)[0]
    np.testing.assert_array_equal(kept, np.where(shares >= min_p, LOGITS, -np.inf))
    assert np.isfinite(kept).sum() == count


def test_min_p_is_taken_at_the_temperature() -> None:
    hot, cold = (np.count_nonzero(_counts(_grid(512), temperature, min_p=0.6)) for temperature in (5.0, 0.3))
    assert (hot, cold) == (6, 1)


def test_the_nucleus_is_taken_at_the_temperature() -> None:
    hot, cold = (np.count_nonzero(_counts(_grid(512), temperature, top_p=0.8)) for temperature in (5.0, 0.3))
    assert (hot, cold) == (6, 1)


def test_a_nucleus_of_one_changes_nothing() -> None:
    assert keep_nucleus(in_numpy, LOGITS, 1.0) is LOGITS


@given(
    logits=rows_of_logits,
    ruled_out=st.lists(st.booleans(), min_size=12, max_size=12),
    uniform=st.sampled_from([0.0, 0.5, float(HIGHEST_UNIFORM), 1.0]),  # 1 as what rounding might make of it
)
@settings(max_examples=100, deadline=None)
def test_an_impossible_token_is_never_drawn(logits: NDArray[np.float32], ruled_out: list[bool], uniform: float) -> None:
    masked = np.where(ruled_out[: len(logits)], -np.inf, logits).astype(np.float32)
    assume(np.isfinite(masked).any())
    chosen = int(draw(in_numpy, masked[None], np.float32([uniform]))[0])
    assert np.isfinite(masked[chosen])


@pytest.mark.parametrize("ops", [in_numpy, in_tensorflow])
def test_the_highest_randomness_draws_the_last_possible_token_of_a_large_vocabulary(ops: Ops) -> None:
    logits = np.zeros((1, 50_000), np.float32)
    logits[0, 49_000:] = -np.inf
    assert int(draw(ops, logits, HIGHEST_UNIFORM[None])[0]) <= 48_999


def test_texts_of_different_temperatures_do_not_touch_each_other() -> None:
    logits = np.random.default_rng(4).normal(0, 2, (6, 9)).astype(np.float32)
    strategy = Strategy(top_k=5, top_p=0.9)
    uniforms, temperatures = _grid(6), np.float32([0, 0.2, 0.5, 1, 1.5, 0])
    together = choose(in_tensorflow, logits, uniforms, temperatures, strategy).numpy()
    alone = [
        int(choose(in_tensorflow, logits[n : n + 1], uniforms[n : n + 1], temperatures[n : n + 1], strategy)[0])
        for n in range(6)
    ]
    assert together.tolist() == alone


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32),
    temperature=st.sampled_from([0.2, 1.0, 1.7]),
    top_k=st.sampled_from([0, 1, 3, 9, 50]),
    top_p=st.sampled_from([1.0, 0.9, 0.3, 1e-6]),
    min_p=st.sampled_from([0.0, 0.05, 0.5, 1.0]),
)
def test_numpy_and_tensorflow_choose_the_same_token(
    seed: int, temperature: float, top_k: int, top_p: float, min_p: float
) -> None:
    logits, uniforms = np.random.default_rng(seed).normal(0, 2, (8, 9)).astype(np.float32), uniform_stream(seed, 0, 8)
    strategy = Strategy(top_k=top_k, top_p=top_p, min_p=min_p)
    expected = choose(in_tensorflow, logits, uniforms, np.full(8, temperature, np.float32), strategy)
    several = choose(in_numpy, logits, uniforms, np.full(8, temperature, np.float32), strategy)
    alone = [
        choose_at(in_numpy, *text, np.float32(temperature), strategy) for text in zip(logits, uniforms, strict=True)
    ]
    assert several.tolist() == alone == expected.numpy().tolist()
