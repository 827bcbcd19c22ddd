"""Checkpoints are found by the epoch that they end, and a place without any says what it is."""

import shutil
from pathlib import Path

import pytest

from components.artifacts.errors import UsageError
from components.artifacts.manifest import digest
from components.train.committed import of_epoch
from tests.unit.train.trained import Run, checkpoints_in


@pytest.fixture(scope="module")
def kept(run_in: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoints of five epochs of twelve train steps, the newest and every second of which was kept."""
    place = tmp_path_factory.mktemp("kept")
    run_in(place, epochs=5, keep_every=2, keep_checkpoints=1, best_by="training_loss")
    return place


def test_every_so_many_epochs_one_is_kept_beside_the_newest_and_the_best(kept: Path) -> None:
    assert set(checkpoints_in(kept)) == {24, 48, 60}
    for epoch, train_step in ((2, 24), (4, 48), (5, 60)):
        found = of_epoch(str(kept / "checkpoints"), epoch)
        assert (found.name, found.digest) == (
            checkpoints_in(kept)[train_step].name,
            digest(checkpoints_in(kept)[train_step]),
        )


def test_an_epoch_that_was_not_kept_is_refused_with_those_that_were(kept: Path) -> None:
    with pytest.raises(UsageError) as refused:
        of_epoch(f"{kept}/checkpoints", 3)
    assert str(refused.value) == (
        f"{kept}/checkpoints: no checkpoint of epoch 3; there is 2, 4, 5; train.keep_every says which are kept"
    )


def test_checkpoints_within_an_epoch_are_of_none(run: Run, tmp_path: Path) -> None:
    run(train_steps=10, checkpoint_steps=4, keep_checkpoints=9)
    found = of_epoch(f"{tmp_path}/checkpoints", 1)
    assert found.manifest.counts["train_step"] == 10  # training ended there
    shutil.rmtree(tmp_path / "checkpoints" / found.name)
    assert set(checkpoints_in(tmp_path)) == {4, 8}
    with pytest.raises(UsageError, match="no checkpoint of epoch 1; there is none of a whole epoch; "):
        of_epoch(f"{tmp_path}/checkpoints", 1)


def test_a_damaged_manifest_hides_no_other_epoch(kept: Path, tmp_path: Path) -> None:
    shutil.copytree(kept / "checkpoints", tmp_path / "checkpoints")
    (checkpoints_in(tmp_path)[24] / "manifest.json").write_text("{")
    assert of_epoch(f"{tmp_path}/checkpoints", 4).manifest.counts["epoch"] == 4
    with pytest.raises(UsageError, match="no checkpoint of epoch 2; there is 4, 5; "):
        of_epoch(f"{tmp_path}/checkpoints", 2)


def test_a_place_without_checkpoints_says_what_it_is(finished: Path) -> None:
    checkpoints = finished.parent / "checkpoints"
    with pytest.raises(UsageError) as refused:
        of_epoch(str(finished), 1)
    assert str(refused.value) == f"{finished} is a model; name {checkpoints}"


def test_keeping_changes_no_weight_and_may_change_when_training_continues(run: Run, kept: Path, tmp_path: Path) -> None:
    settings = {"keep_checkpoints": 1, "best_by": "training_loss"}
    run(epochs=3, keep_every=1, **settings)
    assert set(checkpoints_in(tmp_path)) == {12, 24, 36}
    model = run(epochs=5, keep_every=2, **settings)
    assert set(checkpoints_in(tmp_path)) == {24, 48, 60}
    assert (model / "config.json").read_text().partition('"training"')[0] == (
        (kept / "model" / "config.json").read_text().partition('"training"')[0]
    )
