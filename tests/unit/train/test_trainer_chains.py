"""A batch computed in two chains trains as one."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from components.artifacts.dataset import Dataset
from components.train import trainer as trainer_module
from components.train.config import TrainConfig
from components.train.trainer import Trainer
from tests.shorter import mostly_slow


@pytest.fixture(autouse=True, scope="module")
def chains() -> None:
    """Two: they are the point here."""


@pytest.mark.parametrize(
    "changes",
    mostly_slow(
        [
            {"layers": 2, "ngrams": 3, "ngram_buckets": 31, "optimizer": "muon", "clip_norm": 0.1},
            {"carry_state": False, "batch": 5},
            {
                "objective": "next",
                "label_smoothing": 0.1,
                "batch": 130,
            },  # the last batch of an epoch is a single window
            {"batch": 1, "weight_drop": 0.5},
        ]
    ),
)
def test_two_chains_train_as_one(
    config_of: Callable[..., TrainConfig], data: Dataset, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    two = Trainer(config_of(**changes), data)
    monkeypatch.setattr(trainer_module, "CHAINS_ON_CPU", 1)
    one = Trainer(config_of(**changes), data)
    nats, targets = one.advance(0, 20)
    assert two.advance(0, 20) == (pytest.approx(nats, rel=1e-5), targets)
    for value, same in zip(one.values(), two.values(), strict=True):
        np.testing.assert_allclose(value, same, atol=2e-4)


@pytest.mark.parametrize(("dropout", "alike"), [(0.0, True), (0.5, False)])
def test_the_chains_of_a_batch_drop_out_differently(
    config_of: Callable[..., TrainConfig], data: Dataset, dropout: float, alike: bool
) -> None:
    text = np.resize(data.train[:32], 720)  # both lanes of 352 tokens read the same
    repeating = Dataset(
        train=text, validation=data.validation, vocabulary=data.vocabulary, manifest=data.manifest, digest=""
    )
    trainer = Trainer(config_of(dropout=dropout, layers=2, batch=2), repeating)
    trainer.advance(0, 1)
    first, second = trainer.values()[-1]
    assert np.allclose(first, second, atol=1e-6) == alike
