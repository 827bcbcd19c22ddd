import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.artifacts.tensorflow import tf
from components.generator.model import Model
from components.generator.stepping import Stepper
from components.judging.scoring import score
from components.judging.texts import Dataset

IDS = np.random.default_rng(1).integers(0, 20, 121).astype(np.uint8)
VARIANTS: dict[str, dict[str, Any]] = {
    "carry": {},
    "window of 8": {"carry_state": False},
    "next": {"objective": "next"},
    "words": {"vectorizing": {"tokens": "words"}, "ngrams": 1},
}


@pytest.fixture(scope="module", params=VARIANTS)
def variant(request: pytest.FixtureRequest, trained_of: Callable[..., Path]) -> Path:
    return trained_of(**VARIANTS[request.param])


def _costs(model: Model, ids: list[int], *, read_from: Callable[[int], int]) -> list[float]:
    """The nats of each token but the first, from a zero state before the token at `read_from(place)`."""
    stepper, costs = Stepper(model.architecture, model.network), []
    for place in range(1, len(ids)):
        states = stepper.zero_states(1)
        for token in ids[read_from(place) : place]:
            states = stepper.read(tf.constant([token]), states)
        logits = np.array(stepper.logits(states)[0], np.float64)
        costs.append(float(np.log(np.exp(logits).sum()) - logits[ids[place]]))
    return costs


def test_both_protocols_are_those_of_a_plain_reading(variant: Path) -> None:
    model = Model.read(variant / "model")
    ids = IDS[:60]
    scores = score(model, ids, step=3)
    if model.architecture.objective == "next":
        places, begin = list(range(8, 60, 3)), (lambda place: place - 8)
    else:
        places, begin = list(range(1, 60)), (lambda place: (place - 1) // 8 * 8)
    assert scores.places.tolist() == places
    for name, read_from in (("carry", lambda _: 0), ("window of 8", begin)):
        expected = [_costs(model, ids.tolist(), read_from=read_from)[place - 1] for place in places]
        np.testing.assert_allclose(scores.nats[name], expected, atol=2e-4)


def test_the_protocol_it_was_trained_for_gives_the_loss_that_training_wrote(variant: Path) -> None:
    metrics = json.loads((variant / "model" / "metrics.json").read_text())
    data = Dataset.read(str(variant / "dataset"))
    scores = score(Model.read(variant / "model"), data.validation, step=3)
    assert scores.trained_for == metrics["validation_protocol"]
    assert scores.nats[scores.trained_for].mean() == pytest.approx(metrics["validation_loss_nats"], rel=1e-4)


def test_a_long_text_in_lanes_costs_what_one_reading_does(trained: Path) -> None:
    model = Model.read(trained / "model")
    ids = Dataset.read(str(trained / "dataset")).train[:3_000]
    stepper, states, costs = Stepper(model.architecture, model.network), None, []
    read = tf.function(stepper.read)
    states = stepper.zero_states(1)
    for token, label in pairwise(ids):
        states = read(tf.constant([token], tf.int32), states)
        costs.append(tf.nn.sparse_softmax_cross_entropy_with_logits([int(label)], stepper.logits(states))[0])
    np.testing.assert_allclose(score(model, ids, step=1).nats["carry"], np.array(costs), atol=0.01)


@pytest.mark.parametrize("tokens", [0, 1])
def test_a_text_without_a_target_has_no_scores(trained: Path, tokens: int) -> None:
    scores = score(Model.read(trained / "model"), IDS[:tokens], step=3)
    assert [len(scores.places), *map(len, scores.nats.values())] == [0, 0, 0]
