"""A run of training: its history with the training curve, when it stops, and which epoch becomes the model."""

import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.train.trained import Run, held_out_loss, history, json_in


def test_the_history_has_a_row_for_each_epoch(finished: Path) -> None:
    rows, metrics = history(finished), json_in(finished / "metrics.json")
    assert [(row["epoch"], row["train_step"]) for row in rows] == [(1, 12), (2, 24), (3, 36)]
    assert rows[2]["train_loss_nats"] < rows[1]["train_loss_nats"] < rows[0]["train_loss_nats"]
    assert {name: rows[2][name] for name in ("train_loss_nats", "validation_loss_nats")} == {
        name: metrics[name] for name in ("train_loss_nats", "validation_loss_nats")
    }


def test_the_history_has_a_curve_of_each_epochs_training(finished: Path) -> None:
    rows = history(finished)
    for row in rows:
        curve, first = row["curve"], row["train_step"] - 11
        assert [point["train_step"] for point in curve] == list(range(first, first + 12))
        losses = [point["train_loss_nats"] for point in curve]
        assert sum(losses) / 12 == pytest.approx(row["train_loss_nats"], rel=1e-9)
        assert [point["learning_rate"] for point in curve] == pytest.approx([0.01] * 12)
        assert row["resumed_at"] == []
    points = [point for row in rows for point in row["curve"]]
    assert points[0]["tokens_per_second"] is None  # its time is the graph's tracing
    assert all(point["tokens_per_second"] > 0 for point in points[1:])
    seconds = [point["seconds"] for point in points]
    assert seconds == sorted(seconds)


def test_the_curve_shows_the_learning_rate_of_each_step(run: Run) -> None:
    (row,) = history(run(epochs=1, schedule="cosine", warm_up_steps=4))
    rates = [point["learning_rate"] for point in row["curve"]]
    falling = [0.005 * (1 + math.cos(math.pi * step / 8)) for step in range(8)]
    assert rates == pytest.approx([0, 0.0025, 0.005, 0.0075, *falling], rel=1e-4)


def test_a_long_runs_curve_has_few_points_and_one_at_each_epochs_end(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("components.train.cadence.CURVE_POINTS", 4)
    rows = history(run(epochs=3))
    assert [[point["train_step"] for point in row["curve"]] for row in rows] == [[9, 12], [18, 24], [27, 36]]
    for row in rows:
        weights = np.diff([row["train_step"] - 12, *(point["train_step"] for point in row["curve"])])
        mean = np.average([point["train_loss_nats"] for point in row["curve"]], weights=weights)
        assert mean == pytest.approx(row["train_loss_nats"], rel=1e-9)


def test_training_stops_after_the_train_steps_asked_for(run: Run) -> None:
    model = run(train_steps=5)
    metrics = json_in(model / "metrics.json")
    assert (metrics["steps"], metrics["epochs"]) == (5, 5 / 12)
    assert [row["train_step"] for row in history(model)] == [5]


def test_the_best_epoch_becomes_the_model(overfitted: Path, turned: Path) -> None:
    losses = [row["validation_loss_nats"] for row in history(overfitted)]
    assert losses[0] == min(losses) < losses[-1]
    assert json_in(overfitted / "metrics.json")["steps"] == 12
    assert held_out_loss(overfitted, turned) == pytest.approx(losses[0], abs=1e-5)


@pytest.mark.parametrize("changes", [{"export": "last"}, {"best_by": "training_loss"}])
def test_the_last_epoch_becomes_the_model_where_that_is_meant(
    run: Run, turned: Path, overfitted: Path, tmp_path: Path, changes: dict[str, Any]
) -> None:
    if "export" in changes:  # what is exported may be changed when all is done
        shutil.copytree(overfitted.parent / "checkpoints", tmp_path / "checkpoints")
    model = run(of=turned, epochs=5, learning_rate=0.05, **changes)
    assert json_in(model / "metrics.json")["steps"] == 60
    assert held_out_loss(model, turned) == pytest.approx(history(model)[-1]["validation_loss_nats"], abs=1e-5)
