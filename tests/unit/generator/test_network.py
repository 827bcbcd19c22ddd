"""The network's shapes, its carried states, and the embeddings of runs of tokens."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from components.artifacts.tensorflow import tf
from components.generator.architecture import (
    Architecture,
    DropoutPlacement,
    Input,
    Objective,
    ngram_row,
    ngram_rows,
)
from components.generator.network import build
from components.generator.ops import in_tensorflow
from components.generator.weights import KNOWN_CLASSES

INPUTS: tuple[Input, ...] = ("one_hot", "scaled", "embedding")
NetworkOf = Callable[[Architecture], Any]
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
@pytest.mark.parametrize("on_cpu", [False, True])
@pytest.mark.parametrize("carry", [False, True])
def test_variants_with_the_same_weights_give_the_same_logits(
    tiny: Architecture,
    network_of: Callable[[Architecture], Any],
    objective: Objective,
    on_cpu: bool,
    carry: bool,
) -> None:
    architecture = replace(tiny, layers=2, input="embedding", objective=objective)
    plain = network_of(architecture)
    variant = build(architecture, length=6, on_cpu=on_cpu, carry=carry)
    variant.set_weights(plain.get_weights())
    logits = variant([IDS, *[np.zeros((3, 5), np.float32)] * 4])[0] if carry else variant(IDS)
    np.testing.assert_allclose(logits, plain(IDS), atol=1e-5)


NGRAMS = {"input": "embedding", "ngrams": 3}


@pytest.mark.parametrize("buckets", [11, 10**6])
def test_a_run_of_tokens_has_the_row_that_arithmetic_gives(tiny: Architecture, buckets: int) -> None:
    architecture = replace(tiny, **NGRAMS, ngram_buckets=buckets)
    assert [ngram_rows(architecture, n) for n in (2, 3)] == [min(buckets, 8**2), min(buckets, 8**3)]
    for run in ([6, 0, 3], [7, 7, 1], [2, 5]):  # oldest first
        number = sum(token * 8**place for place, token in enumerate(run))
        row = ngram_row(architecture, [tf.constant([token]) for token in reversed(run)])
        assert int(row[0]) == number % buckets


def test_products_beyond_32_bits_still_give_a_row(tiny: Architecture) -> None:
    architecture = replace(tiny, vocabulary=50_000, ngrams=6, ngram_buckets=16381)
    tokens = np.random.default_rng(1).integers(0, 50_001, (6, 1000)).astype(np.int32)
    rows = ngram_row(architecture, [tf.constant(column) for column in tokens]).numpy()
    assert 0 <= rows.min() < rows.max() < 16381
    assert len(np.unique(rows)) > 900


def test_ngrams_see_the_tokens_before_and_none_after(tiny: Architecture, network_of: NetworkOf) -> None:
    # A run of three reaches two tokens back; with the LSTM cut off from its past, older ones make no difference.
    network = network_of(replace(tiny, **NGRAMS, ngram_buckets=1009))
    cell = network.get_layer("lstm_1").cell
    cell.recurrent_kernel.assign(0 * cell.recurrent_kernel)
    cell.bias.assign(np.repeat([0.0, -100.0, 0.0, 0.0], 5))  # forget all
    logits = network(IDS).numpy()
    for place in range(6):
        changed = IDS.copy()
        changed[:, place] = (changed[:, place] + 1) % 7
        differs = np.abs(network(changed).numpy() - logits).max(axis=(0, 2)) > 1e-6
        assert differs.tolist() == [place <= position < place + 3 for position in range(6)]


def test_ngrams_reach_over_into_the_next_window_where_state_is_carried(
    tiny: Architecture, network_of: NetworkOf
) -> None:
    architecture = replace(tiny, **NGRAMS, ngram_buckets=1009)
    whole, carried = network_of(architecture), build(architecture, carry=True)
    carried.set_weights(whole.get_weights())
    states = [state.at_start(in_tensorflow, 3) for state in architecture.states]
    assert [state.shape for state in states] == [(3, 2), (3, 5), (3, 5)]
    pieces = []
    for start, end in ((0, 1), (1, 3), (3, 6)):  # one of them shorter than the reach
        logits, *states = carried([tf.constant(IDS[:, start:end]), *states])
        pieces.append(logits)
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole(IDS), atol=1e-5)


@pytest.mark.parametrize("source", INPUTS)
def test_a_saved_network_is_made_of_known_layers_alone(tiny: Architecture, source: Input) -> None:
    network = build(replace(tiny, input=source, dropout=0.1, ngrams=3 if source == "embedding" else 1))
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
