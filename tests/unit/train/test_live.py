"""What is seen of training while it trains: event files for TensorBoard and progress.json beside its checkpoints."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.tensorflow import tf
from components.artifacts.typed import Point
from components.train import training
from components.train.live import read_live
from components.train.progress import Progress
from components.train.showing import LiveView
from tests.unit.train.trained import Run, history


def steps_in(place: Path, run: str = "training") -> dict[str, list[int]]:
    """The train steps of the training loss in each event file, by its name."""
    return {
        file.name: [event.step for event in events(file)] for file in sorted((place / "tensorboard" / run).iterdir())
    }


def events(file: Path) -> list[Any]:
    version, *found = [tf.compat.v1.Event.FromString(record.numpy()) for record in tf.data.TFRecordDataset(str(file))]
    assert version.file_version == "brain.Event:2"
    return found


def point(step: int) -> Point:
    return {"train_step": step, "train_loss_nats": 2.0, "learning_rate": 0.1, "tokens_per_second": None, "seconds": 1.0}


@pytest.fixture
def progress() -> Progress:
    """Ten train steps into the first epoch, with a point of the curve at each second one."""
    return Progress(
        train_step=10,
        train_steps=40,
        curve=[point(step) for step in (2, 4, 6, 8, 10)],
        epoch_nats=30.0,
        epoch_targets=20,
    )


def test_each_event_file_holds_what_is_new_and_is_never_rewritten(tmp_path: Path, progress: Progress) -> None:
    view = LiveView(str(tmp_path), 1.0)
    view.show(progress, 90.0)
    view.show(progress, 80.0)
    progress.train_step = 14
    progress.curve += [point(12), point(14)]
    view.show(progress, None)
    names = ["events.out.tfevents.0000000010.quillflow", "events.out.tfevents.0000000014.quillflow"]
    assert steps_in(tmp_path) == {names[0]: [2, 4, 6, 8, 10], names[1]: [12, 14]}


def test_train_steps_that_are_taken_again_are_shown_as_they_are_the_second_time(
    tmp_path: Path, progress: Progress
) -> None:
    view = LiveView(str(tmp_path), 1.0)
    view.show(progress, None)
    progress.train_step = 14
    progress.curve.append(point(14))
    view.show(progress, None)
    again = LiveView(str(tmp_path), 1.0)
    again.begin(12)
    progress.train_step = 16
    progress.curve[-1] = point(15)
    again.show(progress, None)
    assert [*steps_in(tmp_path).values()] == [[2, 4, 6, 8, 10], [15]]


def test_progress_says_how_far_training_is_and_when_that_was(tmp_path: Path, progress: Progress) -> None:
    began = datetime.now(UTC).replace(microsecond=0)
    LiveView(str(tmp_path), 1.0).show(progress, 90.0)
    found = read_live(str(tmp_path))
    assert found is not None
    assert (found["train_step"], found["train_steps"], found["seconds_left"]) == (10, 40, 90.0)
    assert (found["train_loss_nats"], found["validation_loss_nats"]) == (1.5, None)
    assert began <= datetime.fromisoformat(found["saved_at"]) <= datetime.now(UTC)
    (tmp_path / "progress.json").write_text("{}")
    assert read_live(str(tmp_path)) is None


def test_training_is_seen_until_its_model_is_complete_which_has_the_same_curve(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is stopped before its model, and resumed."""
    place, write_model = tmp_path / "checkpoints", training.write_model

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the node is gone")

    monkeypatch.setattr(training, "write_model", fail)
    with pytest.raises(RuntimeError):
        run(checkpoint_steps=6)
    seen = [step for steps in steps_in(place).values() for step in steps]
    epochs = [step for steps in steps_in(place, "held_out").values() for step in steps]
    found = read_live(str(place))
    assert found is not None
    assert found["train_step"] == found["train_steps"] == 24
    monkeypatch.setattr(training, "write_model", write_model)
    model = run(checkpoint_steps=6)
    rows = history(model)
    assert seen == [point["train_step"] for row in rows for point in row["curve"]]
    assert epochs == [row["train_step"] for row in rows]
    assert not (place / "tensorboard").exists()
    assert read_live(str(place)) == found
