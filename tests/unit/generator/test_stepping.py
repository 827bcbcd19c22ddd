"""The network one token at a time equals the whole network, in NumPy and in TensorFlow."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from components.artifacts.tensorflow import tf
from components.generator.architecture import Architecture, Input, Objective
from components.generator.cells import CELLS, CellName
from components.generator.network import parameters, stepper_of
from components.generator.ops import Ops, in_numpy, in_tensorflow
from components.generator.stepping import Stepper, Windowed
from tests.shorter import mostly_slow

NetworkOf = Callable[[Architecture], Any]
IDS = np.random.default_rng(3).integers(0, 7, (4, 5)).astype(np.int32)


KINDS: list[tuple[Input, int]] = [("one_hot", 1), ("scaled", 1), ("embedding", 1), ("embedding", 3)]


def _in_numpy(architecture: Architecture, network: Any, *, tabulated: bool) -> Stepper:
    weights = {layer.name: layer.get_weights() for layer in network.layers}
    return Stepper(in_numpy, architecture, weights, tabulated=tabulated)


STEPPERS: dict[str, tuple[Ops, Callable[[Architecture, Any], Stepper]]] = {
    "numpy": (in_numpy, partial(_in_numpy, tabulated=False)),
    "numpy, tabulated": (in_numpy, partial(_in_numpy, tabulated=True)),
    "tensorflow": (in_tensorflow, stepper_of),
}


def _logits_after_one(stepper: Stepper) -> Any:
    return stepper.logits(stepper.read(IDS[:, 0], stepper.zero_states(4)))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("by", STEPPERS)
@pytest.mark.parametrize("layers", mostly_slow([3, 1]))
@pytest.mark.parametrize(("source", "ngrams"), KINDS)
@pytest.mark.parametrize("objective", mostly_slow(["sequence", "next"]))
def test_token_by_token_equals_the_whole_network(
    tiny: Architecture,
    network_of: NetworkOf,
    cell: CellName,
    by: str,
    layers: int,
    source: Input,
    ngrams: int,
    objective: Objective,
) -> None:
    shape = {"cell": cell, "layers": layers, "input": source, "ngrams": ngrams, "objective": objective}
    architecture = replace(tiny, **shape, ngram_buckets=97)
    network = network_of(architecture)
    stepper = STEPPERS[by][1](architecture, network)
    states = stepper.zero_states(4)
    for position in range(5):
        states = stepper.read(IDS[:, position], states)
        expected = network(IDS[:, : position + 1])
        expected = expected[:, -1] if objective == "sequence" else expected
        np.testing.assert_allclose(stepper.logits(states), expected, atol=1e-5 if by == "tensorflow" else 1e-4)


@pytest.mark.parametrize("by", STEPPERS)
@pytest.mark.parametrize("layers", mostly_slow([2, 1]))
@pytest.mark.parametrize("window", mostly_slow([3, 1, 7]))
@pytest.mark.parametrize(("source", "ngrams"), KINDS)
def test_windowed_equals_the_network_on_the_last_tokens_alone(
    tiny: Architecture, network_of: NetworkOf, by: str, layers: int, window: int, source: Input, ngrams: int
) -> None:
    architecture = replace(tiny, layers=layers, input=source, ngrams=ngrams, ngram_buckets=97)
    network = network_of(architecture)
    ops, make = STEPPERS[by]
    windowed = Windowed(ops, make(architecture, network), window)
    states = windowed.zero_states(4)
    for position in range(5):
        states = windowed.read(IDS[:, position], states)
        expected = network(IDS[:, max(position + 1 - window, 0) : position + 1])[:, -1]
        np.testing.assert_allclose(windowed.logits(states), expected, atol=1e-4)


@pytest.mark.parametrize("by", STEPPERS)
def test_large_vocabularies_hash_runs_of_tokens_alike(tiny: Architecture, network_of: NetworkOf, by: str) -> None:
    architecture = replace(tiny, vocabulary=5000, input="embedding", ngrams=4, ngram_buckets=211)
    network = network_of(architecture)
    ids = np.random.default_rng(4).integers(4000, 5000, (2, 6)).astype(np.int32)
    stepper = STEPPERS[by][1](architecture, network)
    states = stepper.zero_states(2)
    for position in range(6):
        states = stepper.read(ids[:, position], states)
    np.testing.assert_allclose(stepper.logits(states), network(ids)[:, -1], atol=1e-4)


def test_far_from_zero_nothing_overflows(tiny: Architecture, network_of: NetworkOf) -> None:
    network = network_of(tiny)
    network.set_weights([array * 1e3 for array in network.get_weights()])
    with np.errstate(all="raise", under="ignore"):
        logits = _logits_after_one(_in_numpy(tiny, network, tabulated=True))
    assert np.isfinite(logits).all()


def test_windowed_is_compiled_once_for_all_positions(tiny: Architecture, network_of: Callable[..., Any]) -> None:
    tf.random.set_seed(1)  # finding the device takes a random number, and other tests make operations deterministic
    windowed = Windowed(in_tensorflow, stepper_of(tiny, network_of(tiny)), 3)
    states = windowed.zero_states(4)
    logits = tf.function(windowed.logits, jit_compile=True).experimental_get_compiler_ir(states)(stage="hlo")
    assert "s32[] parameter(0)" in logits  # as a constant, each number of tokens read would be compiled again


def test_dropout_is_left_out(tiny: Architecture, network_of: Callable[[Architecture], Any]) -> None:
    dropping, plain = (replace(tiny, layers=2, dropout=share) for share in (0.9, 0.0))
    logits = [
        _logits_after_one(stepper)
        for stepper in (stepper_of(dropping, network_of(dropping)), stepper_of(plain, network_of(plain)))
    ]
    np.testing.assert_array_equal(*logits)


@pytest.mark.parametrize("source", ["one_hot", "scaled", "embedding"])
def test_a_stepper_keeps_the_weights_it_was_made_with(
    tiny: Architecture, network_of: Callable[[Architecture], Any], source: Input
) -> None:
    architecture = replace(tiny, input=source)
    network = network_of(architecture)
    stepper = stepper_of(architecture, network)
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
