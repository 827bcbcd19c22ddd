"""The logs for TensorBoard hold the history."""

import math
from pathlib import Path

import pytest

from components.artifacts.tensorflow import tf
from tests.unit.train.trained import history


def test_tensorboard_logs_hold_the_history(finished: Path) -> None:
    rows = history(finished)
    points = [point for row in rows for point in row["curve"]]
    training, held_out = _events(finished, "training"), _events(finished, "held_out")
    assert training["learning_rate"] == [(point["train_step"], pytest.approx(0.01)) for point in points]
    assert training["loss/nats_per_token"] == [
        (point["train_step"], pytest.approx(point["train_loss_nats"])) for point in points
    ]
    assert held_out["loss/bits_per_character"] == [
        (row["train_step"], pytest.approx(row["validation_loss_nats"] / math.log(2))) for row in rows
    ]
    assert len(training["tokens_per_second"]) == 35


def _events(model: Path, name: str) -> dict[str, list[tuple[int, float]]]:
    """The scalars of a run in the model's event logs, by tag: train steps and values."""
    (file,) = (model / "tensorboard" / name).glob("*tfevents*")
    scalars: dict[str, list[tuple[int, float]]] = {}
    version, *events = [tf.compat.v1.Event.FromString(record.numpy()) for record in tf.data.TFRecordDataset(str(file))]
    assert version.file_version == "brain.Event:2"
    for event in events:
        for value in event.summary.value:
            scalars.setdefault(value.tag, []).append((event.step, value.simple_value))
    return scalars
