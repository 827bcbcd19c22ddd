"""Training resumes from its checkpoints to the same weights, and refuses what does not belong to them."""

import logging
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.errors import ArtifactError, UsageError
from components.command import log
from components.train.committed import newest_digest
from components.train.config import TrainConfig
from components.train.training import train
from tests.shorter import mostly_slow
from tests.unit.train.trained import Run, checkpoints_in, damage, history, json_in, weights

# Each trains differently: another optimizer, objective, input and order of the data.
WAYS = {
    "adamw, carried": {"optimizer": "adamw"},
    "rmsprop, next": {"optimizer": "rmsprop", "objective": "next", "input": "one_hot", "batch": 16},
    "sgd with momentum, windows": {"optimizer": "sgd", "momentum": 0.9, "carry_state": False, "batch": 16},
    "adam, next, scaled": {"optimizer": "adam", "objective": "next", "input": "scaled", "batch": 16},
}


@pytest.fixture
def messages(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """What is logged, also where a command has set the logs up before."""
    logger = logging.getLogger("quillflow")
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


def test_a_step_between_windows_that_has_no_effect_is_reported(
    run: Run, dataset_of: Callable[..., Path], capfd: pytest.CaptureFixture[str]
) -> None:
    log.set_up("train")
    run(of=dataset_of(step=3), train_steps=1)
    assert (
        "warning: the dataset's windows are 3 tokens apart, which has no effect on training" in capfd.readouterr().err
    )


@pytest.mark.parametrize("way", mostly_slow(WAYS))
def test_a_stopped_run_resumes_to_the_same_weights(
    run_in: Callable[..., Path], dataset_of: Callable[..., Path], tmp_path: Path, way: str
) -> None:
    settings = {"of": dataset_of(held_out=0), "dropout": 0.25, "export": "last", **WAYS[way]}
    expected = run_in(tmp_path / "whole", **settings)
    stopped = run_in(tmp_path / "parts", **{**settings, "epochs": 5, "train_steps": 7})
    assert weights(stopped) != weights(expected)
    assert weights(run_in(tmp_path / "parts", **settings)) == weights(expected)


@pytest.mark.parametrize("kept", mostly_slow([12, 4, 20]))
def test_a_run_killed_after_any_checkpoint_ends_the_same(
    run: Run, often_saved: Path, tmp_path: Path, kept: int
) -> None:
    shutil.copytree(often_saved.parent / "checkpoints", tmp_path / "checkpoints")
    for train_step, checkpoint in checkpoints_in(tmp_path).items():
        if train_step > kept:
            shutil.rmtree(checkpoint)
    again = run(dropout=0.25)
    assert weights(again) == weights(often_saved)
    for row, first in zip(history(again), history(often_saved), strict=True):
        names = ("epoch", "train_step", "train_loss_nats", "validation_loss_nats")
        assert [row[name] for name in names] == pytest.approx([first[name] for name in names], rel=1e-9)
        assert _without_times(row["curve"]) == [pytest.approx(point) for point in _without_times(first["curve"])]
    assert [row["resumed_at"] for row in history(again)] == [[kept] if epoch == kept // 12 else [] for epoch in (0, 1)]


def _without_times(curve: list[dict[str, Any]]) -> list[dict[str, float]]:
    names = ("train_step", "train_loss_nats", "learning_rate")
    return [{name: point[name] for name in names} for point in curve]


def test_more_epochs_continue_to_what_they_would_have_been(run: Run, finished: Path) -> None:
    run(epochs=1, dropout=0.2)
    assert weights(run(epochs=3, dropout=0.2)) == weights(finished)


def test_a_finished_run_is_not_trained_again(run: Run, finished: Path, resumable: Path) -> None:
    before = sorted(path.name for path in resumable.iterdir())
    model = run(epochs=3, dropout=0.2)
    assert weights(model) == weights(finished)
    assert json_in(model / "metrics.json") == json_in(finished / "metrics.json")
    assert sorted(path.name for path in resumable.iterdir()) == before


def test_fewer_train_steps_than_are_taken_are_refused(run: Run, often_saved: Path, tmp_path: Path) -> None:
    within_an_epoch = checkpoints_in(often_saved.parent)[8]
    shutil.copytree(within_an_epoch, tmp_path / "checkpoints" / within_an_epoch.name)
    with pytest.raises(UsageError, match="already at train step 8, past the 3 of"):
        run(dropout=0.25, train_steps=3)
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"units": 9}, "train.units was 8 there, now it is 9"),
        ({"seed": 2}, "train.seed was 1 there, now it is 2"),
        ({"learning_rate": 0.02}, "train.learning_rate was 0.01 there, now it is 0.02"),
    ],
)
def test_other_settings_are_refused_by_name(
    run: Run, resumable: Path, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    before = set(checkpoints_in(tmp_path))
    with pytest.raises(UsageError, match=message):
        run(epochs=4, dropout=0.2, **changes)
    assert set(checkpoints_in(resumable.parent)) == before
    assert not (tmp_path / "model").exists()


@pytest.mark.usefixtures("resumable")
def test_another_dataset_is_refused(run: Run, turned: Path) -> None:
    with pytest.raises(UsageError, match="trained on another dataset"):
        run(of=turned, epochs=4, dropout=0.2)


@pytest.mark.usefixtures("resumable")
def test_start_anew_starts_over(run: Run, tmp_path: Path) -> None:
    model = run(epochs=1, units=9, start_anew=True)
    assert set(checkpoints_in(tmp_path)) == {12}
    assert json_in(model / "metrics.json")["steps"] == 12


def test_a_place_to_resume_from_that_holds_no_checkpoint_is_refused(
    run: Run, finished: Path, often_saved: Path, tmp_path: Path
) -> None:
    checkpoints = finished.parent / "checkpoints"
    foreign = tmp_path / "notes" / "of mine"
    foreign.mkdir(parents=True)
    (foreign / "manifest.json").write_text('{"name": "another program"}')
    places = {
        tmp_path / "mistyped": "is not a directory, or is empty; name the directory that was given as --checkpoints",
        foreign.parent: "holds no checkpoint; name the directory that was given as --checkpoints",
        foreign: "holds no checkpoint; name the directory that was given as --checkpoints",
        foreign
        / "manifest.json": "is not a directory, or is empty; name the directory that was given as --checkpoints",
        finished: f"is a model; name {checkpoints}",
        finished.parent: f"holds no checkpoint; name {checkpoints}",
        checkpoints_in(often_saved.parent)[8]: f"is a checkpoint; name {often_saved.parent / 'checkpoints'}",
    }
    for place, reported in places.items():
        with pytest.raises(UsageError) as refused:
            run(epochs=3, dropout=0.2, init_from=str(place))
        assert str(refused.value) == f"train.init_from: {place} {reported}"
    assert not (tmp_path / "model").exists()


def test_a_mistyped_place_to_resume_from_costs_no_checkpoints(run: Run, resumable: Path, tmp_path: Path) -> None:
    before = set(checkpoints_in(resumable.parent))
    with pytest.raises(UsageError, match="is not a directory, or is empty"):
        run(epochs=3, dropout=0.2, start_anew=True, init_from=str(tmp_path / "mistyped"))
    assert set(checkpoints_in(resumable.parent)) == before


def test_a_place_to_resume_from_where_training_continued_since_the_run_began_is_refused(
    config_of: Callable[..., TrainConfig], dataset: Path, finished: Path, often_saved: Path, tmp_path: Path
) -> None:
    there = str(finished.parent / "checkpoints")
    named, other = newest_digest(there), newest_digest(str(often_saved.parent / "checkpoints"))
    assert named != other
    config = config_of(epochs=3, dropout=0.2, init_from=there)
    places = {"checkpoints": str(tmp_path / "new" / "checkpoints"), "model": str(tmp_path / "new" / "model")}
    with pytest.raises(UsageError, match=f"train.init_from {there}: training has continued there since the run began"):
        train(config, dataset=str(dataset), **places, init_digest=other)
    assert not (tmp_path / "new" / "model").exists()


def test_the_best_checkpoint_may_be_where_training_resumed_from(run: Run, overfitted: Path, turned: Path) -> None:
    elsewhere = str(overfitted.parent / "checkpoints")
    model = run(of=turned, epochs=6, learning_rate=0.05, init_from=elsewhere)
    assert json_in(model / "metrics.json")["steps"] == json_in(overfitted / "metrics.json")["steps"] == 12
    assert weights(model) == weights(overfitted)


def test_a_damaged_best_checkpoint_has_no_substitute_elsewhere(
    run: Run, overfitted: Path, turned: Path, tmp_path: Path
) -> None:
    elsewhere = overfitted.parent / "checkpoints"
    shutil.copytree(elsewhere, tmp_path / "checkpoints")
    damage(checkpoints_in(tmp_path)[12])
    with pytest.raises(UsageError, match=r"the best checkpoint, of train step 12, can't be read"):
        run(of=turned, epochs=6, learning_rate=0.05, init_from=str(elsewhere))


def test_a_damaged_checkpoint_is_passed_over(
    run: Run, finished: Path, resumable: Path, messages: pytest.LogCaptureFixture
) -> None:
    damage(checkpoints_in(resumable.parent)[36])
    assert weights(run(epochs=3, dropout=0.2)) == weights(finished)
    warnings = {record.getMessage() for record in messages.records if record.levelno == logging.WARNING}
    passed_over = {warning for warning in warnings if not warning.startswith("the dataset's windows are 3 tokens")}
    assert len(passed_over) == 1
    assert re.match(r"skipped a checkpoint: .*/0000000036-", passed_over.pop())


def test_a_checkpoint_without_a_manifest_does_not_count(run: Run, finished: Path, resumable: Path) -> None:
    (checkpoints_in(resumable.parent)[36] / "manifest.json").unlink()
    assert weights(run(epochs=3, dropout=0.2)) == weights(finished)


def test_training_never_silently_starts_over(run: Run, resumable: Path, tmp_path: Path) -> None:
    for checkpoint in checkpoints_in(resumable.parent).values():
        damage(checkpoint)
    with pytest.raises(ArtifactError, match=r"none of its .*checkpoints can be read; .* train\.start_anew"):
        run(epochs=3, dropout=0.2)
    assert not (tmp_path / "model").exists()
