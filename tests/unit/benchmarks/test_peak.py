"""FLOP are counted from a network's shape."""

import pytest

from components.generator.architecture import Architecture
from tests.benchmarks.peak import forward_flop, sgemm_peak


def _network(**changes: object) -> Architecture:
    shape = {"vocabulary": 7, "layers": 2, "units": 5, "input": "embedding", "embedding_size": 3, "ngrams": 2}
    rest = {"objective": "sequence", "dropout": 0.0, "dropout_placement": "after_each"}
    return Architecture(**{**shape, **rest, **changes})


@pytest.mark.parametrize(
    ("changes", "first"), [({}, 3), ({"input": "one_hot", "ngrams": 1}, 7), ({"input": "scaled", "ngrams": 1}, 1)]
)
def test_flop_are_of_the_products_of_layers_and_output(changes: dict[str, object], first: int) -> None:
    network = _network(**changes)
    gates = 4 * 5
    assert forward_flop(network) == 2 * (first * gates + 5 * gates + 5 * gates + 5 * gates + 5 * 7)
    assert forward_flop(network) - forward_flop(network, is_looked_up=True) == 2 * first * gates


def test_the_peak_is_that_of_a_processor() -> None:
    assert 1e9 < sgemm_peak() < 1e13
