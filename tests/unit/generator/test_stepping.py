from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from components.artifacts.tensorflow import tf
from components.generator.architecture import Architecture, Input, Objective
from components.generator.network import parameters
from components.generator.stepping import Stepper, Windowed

IDS = np.random.default_rng(3).integers(0, 7, (4, 5)).astype(np.int32)


def _logits_after_one(stepper: Stepper) -> Any:
    return stepper.logits(stepper.read(IDS[:, 0], stepper.zero_states(4)))


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize(("source", "ngrams"), [("one_hot", 1), ("scaled", 1), ("embedding", 1), ("embedding", 3)])
@pytest.mark.parametrize("objective", ["next", "sequence"])
def test_token_by_token_equals_the_whole_network(
    tiny: Architecture,
    network_of: Callable[[Architecture], Any],
    layers: int,
    source: Input,
    ngrams: int,
    objective: Objective,
) -> None:
    architecture = replace(tiny, layers=layers, input=source, ngrams=ngrams, ngram_buckets=97, objective=objective)
    network = network_of(architecture)
    stepper = Stepper(architecture, network)
    states = stepper.zero_states(4)
    for position in range(5):
        states = stepper.read(IDS[:, position], states)
        expected = network(IDS[:, : position + 1])
        expected = expected[:, -1] if objective == "sequence" else expected
        np.testing.assert_allclose(stepper.logits(states), expected, atol=1e-5)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("window", [1, 2, 3, 7])
@pytest.mark.parametrize("ngrams", [1, 3])
def test_windowed_equals_the_network_on_the_last_tokens_alone(
    tiny: Architecture, network_of: Callable[[Architecture], Any], layers: int, window: int, ngrams: int
) -> None:
    architecture = replace(tiny, layers=layers, input="embedding", ngrams=ngrams, ngram_buckets=97)
    network = network_of(architecture)
    windowed = Windowed(Stepper(architecture, network), window)
    states = windowed.zero_states(4)
    for position in range(5):
        states = windowed.read(IDS[:, position], states)
        expected = network(IDS[:, max(position + 1 - window, 0) : position + 1])[:, -1]
        np.testing.assert_allclose(windowed.logits(states), expected, atol=1e-5)


def test_windowed_is_compiled_once_for_all_positions(tiny: Architecture, network_of: Callable[..., Any]) -> None:
    windowed = Windowed(Stepper(tiny, network_of(tiny)), 3)
    states = windowed.zero_states(4)
    logits = tf.function(windowed.logits, jit_compile=True).experimental_get_compiler_ir(states)(stage="hlo")
    assert "s32[] parameter(0)" in logits  # as a constant, each number of tokens read would be compiled anew


def test_dropout_is_left_out(tiny: Architecture, network_of: Callable[[Architecture], Any]) -> None:
    dropping, plain = (replace(tiny, layers=2, dropout=share) for share in (0.9, 0.0))
    logits = [
        _logits_after_one(stepper)
        for stepper in (Stepper(dropping, network_of(dropping)), Stepper(plain, network_of(plain)))
    ]
    np.testing.assert_array_equal(*logits)


@pytest.mark.parametrize("source", ["one_hot", "scaled", "embedding"])
def test_a_stepper_keeps_the_weights_it_was_made_with(
    tiny: Architecture, network_of: Callable[[Architecture], Any], source: Input
) -> None:
    architecture = replace(tiny, input=source)
    network = network_of(architecture)
    stepper = Stepper(architecture, network)
    before = _logits_after_one(stepper)
    for weight in network.trainable_variables:
        weight.assign(weight + 1)
    after = _logits_after_one(stepper)
    np.testing.assert_array_equal(before, after)


def test_parameters_counts_every_trainable_number(
    tiny: Architecture, network_of: Callable[[Architecture], Any]
) -> None:
    lstm, dense = 4 * 5 * (7 + 5 + 1), 7 * (5 + 1)
    assert parameters(network_of(replace(tiny, dropout=0.5))) == lstm + dense
