"""Samples are written after the epochs asked for, and change nothing about training."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.command import log
from components.train.config import TrainConfig
from components.train.samples import warn_of_epochs_never_reached
from tests.shorter import mostly_slow
from tests.unit.train.trained import Run, history, json_in


def test_samples_are_written_after_the_epochs_asked_for(finished: Path, text: str) -> None:
    rows = history(finished)
    assert [row["epoch"] for row in rows if "samples" in row] == [1, 3]
    for row in (rows[0], rows[2]):
        assert [sample["temperature"] for sample in row["samples"]] == [0, 1]
        assert {len(sample["text"]) for sample in row["samples"]} == {20}
        assert all(len(sample["prompt"]) == 8 and sample["prompt"] in text[:400] for sample in row["samples"])
    assert rows[0]["samples"][0]["prompt"] != rows[2]["samples"][0]["prompt"]


@pytest.mark.parametrize(("epochs", "sampled"), mostly_slow([(2, [1, 2]), (9, [3, 5, 7, 9])]))
def test_samples_are_spread_over_training_however_many_epochs_it_has(run: Run, epochs: int, sampled: list[int]) -> None:
    model = run(epochs=epochs, sample_times=4, sample_length=5, sample_temperatures=(0,))
    assert [row["epoch"] for row in history(model) if "samples" in row] == sampled


def test_samples_leave_training_as_it_is(finished: Path, run: Run) -> None:
    other = run(epochs=3, dropout=0.2)
    assert not [row for row in history(other) if "samples" in row]
    weights = [json_in(model / "config.json")["weights_sha256"] for model in (finished, other)]
    assert weights[0] == weights[1]
    assert [row["validation_loss_nats"] for row in history(finished)] == [
        row["validation_loss_nats"] for row in history(other)
    ]


@pytest.mark.parametrize(
    ("changes", "reported"),
    [
        ({"epochs": 3, "sample_at": (1, 3)}, ""),
        ({"epochs": 3, "sample_every": 3}, ""),
        ({"epochs": 3, "sample_at": (1, 4)}, "train.sample_at=4"),
        (
            {"epochs": 3, "sample_every": 9, "sample_at": (4, 5)},
            "train.sample_at=4 and train.sample_at=5 and train.sample_every=9",
        ),
    ],
)
def test_samples_after_an_epoch_that_training_does_not_reach_are_reported(
    config_of: Callable[..., TrainConfig], capsys: pytest.CaptureFixture[str], changes: dict[str, Any], reported: str
) -> None:
    log.set_up("train")
    warn_of_epochs_never_reached(config_of(**changes), 3)
    expected = (
        f"train      warning: training ends in epoch 3, so no samples are written for {reported}\n" if reported else ""
    )
    assert capsys.readouterr().err == expected
