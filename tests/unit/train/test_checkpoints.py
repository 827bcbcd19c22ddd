"""Checkpoints on a disk that lies, and training put back at every one of its steps."""

import os
import random
import shutil
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.artifacts import storage
from components.artifacts.dataset import Dataset
from components.artifacts.errors import ArtifactError
from components.train.checkpoints import Checkpoints
from components.train.config import TrainConfig
from components.train.ownership import Ownership
from components.train.progress import Progress
from components.train.saving import Saver
from components.train.showing import LiveView
from components.train.trainer import Trainer
from tests.shorter import mostly_slow

CONFIG = TrainConfig(keep_checkpoints=100)
FILES = ("variables.npz", "progress.json", "manifest.json")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoints of train steps 8 and 9."""
    place = tmp_path_factory.mktemp("checkpoints") / "two"
    for step in (8, 9):
        save(place, step)
    return place


def save(place: Path, step: int) -> None:
    with Ownership(str(place)) as ownership:
        values = [np.full((3, 4), step, np.float32), np.arange(5, dtype=np.int64)]
        Checkpoints(str(place), CONFIG, "d").save(Progress(train_step=step, best_step=8), values, ownership)


def newest_step(place: Path) -> int:
    found = Checkpoints(str(place), CONFIG, "d").newest()
    assert found is not None
    progress, values = found
    assert (values[0] == progress.train_step).all()
    assert values[1].tolist() == [0, 1, 2, 3, 4]
    return progress.train_step


def damage(path: Path, kind: Literal["flip", "zero", "truncate"], place: float) -> None:
    data = bytearray(path.read_bytes())
    index = int(place * len(data))
    if kind == "flip":
        data[index] ^= 1 << random.Random(place).randrange(8)
    elif kind == "zero":
        data[index:] = bytes(len(data) - index)
    else:
        del data[index:]
    path.write_bytes(data)


@given(
    file=st.sampled_from(FILES),
    kind=st.sampled_from(["flip", "zero", "truncate"]),
    place=st.floats(0, 0.999),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_checkpoint_damaged_anywhere_is_passed_over_for_the_one_before(
    two: Path,
    tmp_path: Path,
    file: str,
    kind: Literal["flip", "zero", "truncate"],
    place: float,
) -> None:
    copy = tmp_path / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(two, copy)
    hurt = next(copy.glob("*9-*")) / file
    before = hurt.read_bytes()
    damage(hurt, kind, place)
    assert newest_step(copy) == (9 if hurt.read_bytes() == before else 8)


@pytest.mark.parametrize("file", FILES)
def test_a_file_of_a_checkpoint_that_is_gone_leaves_the_one_before(file: str, two: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(two, tmp_path / "copy")
    (next(copy.glob("*9-*")) / file).unlink()
    assert newest_step(copy) == 8


def test_training_never_silently_starts_at_zero(two: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(two, tmp_path / "copy")
    for manifest in copy.glob("*/manifest.json"):
        manifest.unlink()
    with pytest.raises(ArtifactError, match="none of its checkpoints can be read"):
        Checkpoints(str(copy), CONFIG, "d").newest()


def test_order_is_by_step_whatever_the_clock_says(two: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(two, tmp_path / "copy")
    for path in copy.glob("*9-*/*"):
        os.utime(path, (0, 0))
    os.utime(next(copy.glob("*9-*")), (0, 0))
    assert newest_step(copy) == 9


def test_sweeping_takes_what_was_not_committed_and_nothing_else(two: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(two, tmp_path / "copy")
    for name in (".0000000010-00000000.12-0123abcd.partial", "0000000010-0123abcd"):
        (copy / name).mkdir()
        (copy / name / "variables.npz").write_bytes(b"half")
    Checkpoints(str(copy), CONFIG, "d").sweep()
    names = sorted(path.name.partition("-")[0] for path in copy.iterdir() if path.is_dir())
    assert names == ["0000000008", "0000000009"]


def test_a_failing_save_surfaces_and_leaves_the_checkpoint_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "place"
    save(place, 1)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with Ownership(str(place)) as ownership:
        saver = Saver(Checkpoints(str(place), CONFIG, "d"), ownership, LiveView(str(place), 1.0))
        monkeypatch.setattr(np, "savez", full)
        saver.save(Progress(train_step=2), [np.ones(3)])
        with pytest.raises(storage.StorageError, match=rf"{place}/.*: No space left on device: .* bytes are free"):
            saver.wait()
    monkeypatch.undo()
    found = Checkpoints(str(place), CONFIG, "d").newest()
    assert found is not None
    assert found[0].train_step == 1
    assert not list(place.glob(".*partial"))


@pytest.mark.parametrize(
    "variant",
    mostly_slow(
        [
            {"optimizer": "adamw", "layers": 2},
            {"optimizer": "rmsprop", "objective": "next", "input": "one_hot"},
            {"optimizer": "sgd", "momentum": 0.9, "carry_state": False},
            {"optimizer": "adam", "schedule": "cosine"},
        ],
    ),
    ids=str,
)
def test_training_put_back_at_any_step_ends_with_the_same_bytes(
    variant: dict[str, object], dataset: Path, tmp_path: Path
) -> None:
    steps = 9
    settings_ = {"units": 8, "batch": 4, "train_steps": steps, "dropout": 0.3, "schedule": "constant", **variant}
    config = TrainConfig(**settings_, keep_checkpoints=100)  # type: ignore[arg-type]
    data = Dataset.read(dataset)
    trainer = Trainer(config, data)
    checkpoints = Checkpoints(str(tmp_path), config, data.digest)
    with Ownership(str(tmp_path)) as ownership:
        for step in range(steps):
            checkpoints.save(Progress(train_step=step), trainer.values(), ownership)
            trainer.advance(step, 1)
    undisturbed = [value.tobytes() for value in trainer.values()]
    for step in range(steps):
        found = checkpoints.at(step)
        assert found is not None
        trainer.restore(found[1])
        trainer.advance(step, steps - step)
        assert [value.tobytes() for value in trainer.values()] == undisturbed, f"put back at step {step}"
