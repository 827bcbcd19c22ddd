"""The settings of sample: a strategy is named by what limits it, and temperatures have bounds."""

import pytest

from components.artifacts.errors import UsageError
from components.sample.config import SampleConfig


@pytest.mark.parametrize(
    ("top_k", "top_p", "temperature", "name"),
    [
        (0, 1.0, 0.0, "greedy"),
        (5, 0.5, 0.0, "greedy"),
        (0, 1.0, 0.7, "temperature"),
        (5, 1.0, 0.7, "top_k=5"),
        (0, 0.9, 0.7, "top_p=0.9"),
        (5, 0.25, 0.7, "top_k=5+top_p=0.25"),
    ],
)
def test_a_strategy_is_named_by_what_limits_it(top_k: int, top_p: float, temperature: float, name: str) -> None:
    assert SampleConfig(top_k=top_k, top_p=top_p).strategy_at(temperature) == name


def test_every_rule_is_in_a_strategys_name() -> None:
    assert SampleConfig(top_k=5, min_p=0.05).strategy_at(0.7) == "top_k=5+min_p=0.05"


def test_temperatures_below_zero_are_refused() -> None:
    with pytest.raises(UsageError, match=r"temperatures.1: must be 0, or from 1e-30 to 1e\+30, not '-1'"):
        SampleConfig.parse({"temperatures": "0.5,-1"}, "sample")
