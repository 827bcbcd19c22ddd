"""The random numbers of a text follow from its seed and its number alone."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from components.generator.randomness import uniform_stream


@given(seed=st.integers(0, 2**63 - 1), text=st.integers(0, 2**64 - 1))
def test_randomness_lies_below_one_and_a_shorter_stream_is_its_beginning(seed: int, text: int) -> None:
    stream = uniform_stream(seed, text, 50)
    assert stream.dtype == np.float32
    assert ((stream >= 0) & (stream < 1)).all()
    np.testing.assert_array_equal(uniform_stream(seed, text, 20), stream[:20])


@given(
    keys=st.lists(st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1)), min_size=2, max_size=2, unique=True)
)
@settings(max_examples=200)
def test_randomness_differs_by_seed_and_text(keys: list[tuple[int, int]]) -> None:
    (seed, text), (other_seed, other_text) = keys
    assert (uniform_stream(seed, text, 10) != uniform_stream(other_seed, other_text, 10)).any()
