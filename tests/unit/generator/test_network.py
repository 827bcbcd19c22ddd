from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from components.generator.model import KNOWN_CLASSES
from components.generator.network import Architecture, DropoutPlacement, Input, Objective, build

INPUTS: tuple[Input, ...] = ("one_hot", "scaled", "embedding")
IDS = np.random.default_rng(2).integers(0, 7, (3, 6)).astype(np.int32)


@pytest.mark.parametrize("source", INPUTS)
@pytest.mark.parametrize(("objective", "shape"), [("next", (3, 7)), ("sequence", (3, 6, 7))])
def test_logits_have_the_shape_of_the_objective(
    tiny: Architecture, source: Input, objective: Objective, shape: tuple[int, ...]
) -> None:
    logits = build(replace(tiny, input=source, objective=objective))(IDS)
    assert logits.shape == shape
    assert logits.dtype == "float32"


def test_carry_takes_and_returns_h_and_c_of_each_layer(tiny: Architecture) -> None:
    network = build(replace(tiny, layers=2), carry=True)
    assert [tensor.name for tensor in network.inputs] == ["ids", "h_1", "c_1", "h_2", "c_2"]
    states = [np.full((3, 5), index / 4, np.float32) for index in range(4)]
    logits, *new = network([IDS, *states])
    assert logits.shape == (3, 6, 7)
    assert [state.shape for state in new] == [(3, 5)] * 4


def test_carried_states_continue_where_they_left_off(
    tiny: Architecture, network_of: Callable[[Architecture], Any]
) -> None:
    architecture = replace(tiny, layers=2)
    whole = network_of(architecture)
    carried = build(architecture, carry=True)
    carried.set_weights(whole.get_weights())
    first, *states = carried([IDS[:, :2], *[np.zeros((3, 5), np.float32)] * 4])
    second, *_ = carried([IDS[:, 2:], *map(np.array, states)])
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), whole(IDS), atol=1e-5)


@pytest.mark.parametrize("objective", ["next", "sequence"])
@pytest.mark.parametrize("unroll", [False, True])
@pytest.mark.parametrize("carry", [False, True])
def test_variants_with_the_same_weights_give_the_same_logits(
    tiny: Architecture,
    network_of: Callable[[Architecture], Any],
    objective: Objective,
    unroll: bool,
    carry: bool,
) -> None:
    architecture = replace(tiny, layers=2, input="embedding", objective=objective)
    plain = network_of(architecture)
    variant = build(architecture, length=6, unroll=unroll, carry=carry)
    variant.set_weights(plain.get_weights())
    logits = variant([IDS, *[np.zeros((3, 5), np.float32)] * 4])[0] if carry else variant(IDS)
    np.testing.assert_allclose(logits, plain(IDS), atol=1e-5)


@pytest.mark.parametrize("source", INPUTS)
def test_a_saved_network_is_made_of_known_layers_alone(tiny: Architecture, source: Input) -> None:
    network = build(replace(tiny, input=source, dropout=0.1))
    names = {layer["class_name"] for layer in network.get_config()["layers"]}
    assert names <= KNOWN_CLASSES - {"Functional"}
    assert "Lambda" not in KNOWN_CLASSES


@pytest.mark.parametrize(
    ("layers", "placement", "dropped"),
    [
        (1, "after_each", [1]),
        (1, "between", [1]),
        (3, "after_each", [1, 2, 3]),
        (3, "between", [1, 2]),
    ],
)
def test_dropout_follows_the_layers_its_placement_names(
    tiny: Architecture, layers: int, placement: DropoutPlacement, dropped: list[int]
) -> None:
    network = build(replace(tiny, layers=layers, dropout=0.25, dropout_placement=placement))
    found = [layer for layer in network.layers if type(layer).__name__ == "Dropout"]
    assert [layer.input for layer in found] == [network.get_layer(f"lstm_{n}").output for n in dropped]
    assert {layer.rate for layer in found} == {0.25}


def test_without_dropout_there_is_no_dropout_layer(tiny: Architecture) -> None:
    assert not [layer for layer in build(tiny).layers if type(layer).__name__ == "Dropout"]


def test_the_sonnets_network_has_the_tutorials_parameter_counts(tiny: Architecture) -> None:
    network = build(replace(tiny, vocabulary=38, layers=2, units=256, input="scaled", objective="next"))
    assert network.get_layer("lstm_1").count_params() == 264_192
    assert network.get_layer("lstm_2").count_params() == 525_312
