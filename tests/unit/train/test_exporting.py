"""A model made of a kept checkpoint is the model that training would have made there, and says where it is from."""

import json
from pathlib import Path

import pytest

from components.artifacts.errors import ArtifactError, UsageError
from components.artifacts.manifest import digest, verify
from components.sample.config import SampleConfig
from components.sample.sampling import sample
from components.train.committed import of_epoch
from components.train.exporting import export
from tests.shorter import without_page
from tests.unit.train.trained import Run, checkpoints_in, damage, history, json_in, weights


@pytest.fixture(scope="module")
def whole(run_in: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training of four epochs that kept each second one."""
    return run_in(tmp_path_factory.mktemp("whole"), epochs=4, keep_every=2, dropout=0.2, export="last").parent


@pytest.fixture(scope="module")
def exported(whole: Path, dataset: Path) -> Path:
    """The model after its second epoch."""
    checkpoint = of_epoch(f"{whole}/checkpoints", 2)
    export(checkpoint, dataset=str(dataset), model=f"{whole}/of-2")
    return whole / "of-2"


def test_it_is_the_model_that_training_would_have_made(exported: Path, run: Run) -> None:
    two = run(epochs=2, dropout=0.2, export="last", page=True)
    assert weights(exported) == weights(two)
    assert set(verify(exported, "model").files) == set(verify(two, "model").files)
    for name in ("vocabulary.json", "prompts.json"):
        assert (exported / name).read_bytes() == (two / name).read_bytes()
    losses = ("epoch", "train_step", "train_loss_nats", "validation_loss_nats")
    assert [[row[name] for name in losses] for row in history(exported)] == [
        [row[name] for name in losses] for row in history(two)
    ]
    same = json_in(two / "metrics.json").keys() - {"tokens_per_second", "wall_seconds", "train_steps"}
    metrics, expected = json_in(exported / "metrics.json"), json_in(two / "metrics.json")
    assert {name: metrics[name] for name in same} == {name: expected[name] for name in same}


def test_the_last_one_is_the_trained_model(whole: Path, dataset: Path) -> None:
    with without_page():
        export(of_epoch(f"{whole}/checkpoints", 4), dataset=str(dataset), model=f"{whole}/of-4")
    for name in ("config.json", "metrics.json", "history.jsonl", "vocabulary.json", "prompts.json"):
        assert (whole / "of-4" / name).read_bytes() == (whole / "model" / name).read_bytes(), name


def test_it_says_which_checkpoint_it_is(exported: Path, whole: Path, dataset: Path) -> None:
    checkpoint = checkpoints_in(whole)[24]
    manifest = verify(exported, "model")
    assert manifest.made_from == {"dataset": digest(dataset), "checkpoint": digest(checkpoint)}
    counts = verify(whole / "model", "model").counts
    assert manifest.counts == {"epoch": 2, "steps": 24, "train_steps": 48, "parameters": counts["parameters"]}
    card = (exported / "README.md").read_text(encoding="utf-8")
    assert "after epoch 2, train step 24 of 48," in card
    assert digest(checkpoint) in card


def test_it_writes(exported: Path, tmp_path: Path) -> None:
    config = SampleConfig(count=1, length=20, temperatures=(1.0,))
    sample(config, model=str(exported), samples=str(tmp_path / "samples"))
    row = json.loads((tmp_path / "samples" / "samples-00000-of-00001.jsonl").read_text())
    assert len(row["text"]) == 20


def test_a_damaged_checkpoint_is_named(run: Run, dataset: Path, tmp_path: Path) -> None:
    run(epochs=1)
    damage(checkpoints_in(tmp_path)[12])
    with pytest.raises(ArtifactError, match=r"0000000012-\w+/.*: .* bytes where the manifest says"):
        export(of_epoch(f"{tmp_path}/checkpoints", 1), dataset=str(dataset), model=f"{tmp_path}/of-1")
    assert not (tmp_path / "of-1").exists()


def test_another_dataset_is_refused(whole: Path, turned: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="trained on another dataset"):
        export(of_epoch(f"{whole}/checkpoints", 2), dataset=str(turned), model=f"{tmp_path}/of-2")
