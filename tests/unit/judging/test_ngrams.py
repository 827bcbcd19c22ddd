"""The n-gram models that a network is compared with follow their formula."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.judging import ngrams
from components.judging.ngrams import NGrams, longest_order

V = 5
TEXTS = st.lists(st.integers(0, V - 1), min_size=0, max_size=60)


def plain(training: list[int], text: list[int], order: int) -> float:
    """p of the last token of a text after the others, by the formula."""
    probability = 1 / V
    for length in range(1, min(order, len(text)) + 1):
        runs = Counter(tuple(training[place : place + length]) for place in range(len(training) - length + 1))
        context, token = tuple(text[len(text) - length : -1]), text[-1]
        followers = [run for run in runs if run[:-1] == context]
        total = sum(runs[run] for run in followers)
        if total:
            probability = (runs[(*context, token)] + len(followers) * probability) / (total + len(followers))
    return probability


@given(training=TEXTS, text=TEXTS, order=st.integers(0, 4))
def test_costs_follow_the_formula(training: list[int], text: list[int], order: int) -> None:
    costs = NGrams(np.array(training, np.uint8), V, 4).nats(np.array(text, np.uint8), order)
    expected = [-math.log(plain(training, text[: place + 1], order)) for place in range(len(text))]
    np.testing.assert_allclose(costs, expected, rtol=1e-12)


@given(training=TEXTS, context=TEXTS)
def test_the_probabilities_of_all_tokens_sum_to_one(training: list[int], context: list[int]) -> None:
    model = NGrams(np.array(training, np.uint8), V, 3)
    costs = [model.nats(np.array([*context, token], np.uint8))[-1] for token in range(V)]
    assert np.exp(-np.array(costs)).sum() == pytest.approx(1, abs=1e-12)


def test_no_context_at_all_is_uniform_over_the_vocabulary() -> None:
    costs = NGrams(np.arange(9) % V, V, 3).nats(np.array([1, 4, 0]), 0)
    np.testing.assert_array_equal(costs, [-math.log(1 / V)] * 3)
    assert costs[0] == pytest.approx(math.log(V), abs=1e-15)


def test_counting_by_chunks_is_counting_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = np.random.default_rng(2).integers(0, V, 1_000)
    whole = NGrams(ids[:800], V, 4).nats(ids[800:])
    monkeypatch.setattr(ngrams, "CHUNK_TOKENS", 37)
    np.testing.assert_array_equal(NGrams(ids[:800], V, 4).nats(ids[800:]), whole)


def test_an_order_is_as_long_as_its_keys_allow() -> None:
    assert longest_order(96, "characters") == 6
    assert longest_order(50_000, "words") == 3
    assert longest_order(5_000_000, "words") == 2
    largest = np.array([4_999_999] * 4)
    assert NGrams(largest, 5_000_000, 2).nats(largest)[-1] < 0.5
