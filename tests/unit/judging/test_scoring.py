"""Scores per token are those of a plain reading, and of training."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.artifacts.dataset import Dataset
from components.artifacts.tensorflow import tf
from components.generator.model import Model
from components.generator.network import stepper_of
from components.judging.evaluating import evaluate
from components.judging.scoring import score
from tests.shorter import without_page

IDS = np.random.default_rng(1).integers(0, 20, 60).astype(np.uint8)
VARIANTS: dict[str, dict[str, Any]] = {
    "carry": {},
    "window": {"context": "window"},
    "next": {"context": "window", "objective": "next"},
    "words": {"tokens": "words"},
}


def read_in_one_go(model: Model, ids: list[int]) -> list[float]:
    """The nats of each token but the first, from a zero state before the first."""
    stepper = stepper_of(model.architecture, model.network)
    states, costs = stepper.zero_states(1), []
    for index, label in enumerate(ids[1:]):
        states = stepper.read(tf.constant([ids[index]]), states)
        logits = np.array(stepper.logits(states)[0], np.float64)
        costs.append(float(np.log(np.exp(logits).sum()) - logits[label]))
    return costs


@pytest.mark.parametrize("variant", VARIANTS)
def test_both_protocols_are_those_of_a_plain_reading(variant: str, place_of: Callable[..., Path]) -> None:
    model = Model.read(place_of(**VARIANTS[variant]) / "model")
    scores = score(model, IDS, step=3)
    ids = IDS.tolist()
    if variant == "next":
        places = list(range(8, 60, 3))
        windowed = [read_in_one_go(model, ids[place - 8 : place + 1])[-1] for place in places]
    else:
        places = list(range(1, 60))
        windowed = [cost for begin in range(0, 59, 8) for cost in read_in_one_go(model, ids[begin : begin + 9])]
    carried = read_in_one_go(model, ids)
    assert scores.places.tolist() == places
    assert scores.trained_for == ("carry" if model.context == "carry" else "window of 8")
    np.testing.assert_allclose(scores.nats["carry"], [carried[place - 1] for place in places], atol=1e-4)
    np.testing.assert_allclose(scores.nats["window of 8"], windowed, atol=1e-4)


def test_the_loss_is_the_one_that_training_wrote(place: Path, tmp_path: Path) -> None:
    from components.train.config import TrainConfig
    from components.train.training import train

    settings = TrainConfig(units=8, embedding_size=4, batch=8, epochs=1, ngrams=1)
    model = tmp_path / "model"
    with without_page():
        train(settings, dataset=str(place / "dataset"), checkpoints=str(tmp_path / "checkpoints"), model=str(model))
    metrics = json.loads((model / "metrics.json").read_text())
    scores = score(Model.read(model), Dataset.read(place / "dataset").validation, step=3)
    assert scores.trained_for == metrics["validation_protocol"] == "carry"
    assert scores.nats["carry"].mean() == pytest.approx(metrics["validation_loss_nats"], rel=1e-4)


def test_what_evaluate_scores_is_the_part_that_training_scored(place: Path, tmp_path: Path) -> None:
    from components.train.config import TrainConfig
    from components.train.training import train

    settings = TrainConfig(units=8, embedding_size=4, batch=8, epochs=1, ngrams=1, evaluate_tokens=256)
    model, dataset = str(tmp_path / "model"), str(place / "dataset")
    with without_page():
        train(settings, dataset=dataset, checkpoints=str(tmp_path / "checkpoints"), model=model)
    metrics = json.loads((tmp_path / "model" / "metrics.json").read_text())
    found = evaluate(model=model, dataset=dataset)
    assert found["text"]["name"] == f"an evenly spread part of the held-out split of {dataset}"
    assert found["text"]["targets"] == metrics["validation_tokens_scored"] == 255
    assert found["text"]["characters"] == 256
    assert found["losses"][0]["nats_per_token"] == pytest.approx(metrics["validation_loss_nats"], rel=1e-3)


@pytest.mark.parametrize("tokens", [0, 1])
def test_a_text_without_a_target_has_no_scores(place: Path, tokens: int) -> None:
    scores = score(Model.read(place / "model"), IDS[:tokens], step=3)
    assert [len(scores.places), *map(len, scores.nats.values())] == [0, 0, 0]
