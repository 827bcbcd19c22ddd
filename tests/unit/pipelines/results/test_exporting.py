"""`quillflow artifacts export` finds checkpoints by run or place, and refuses whatever is wrong in one line."""

from pathlib import Path

import pytest

from components.artifacts.errors import ArtifactError, UsageError
from components.artifacts.manifest import digest, write_manifest
from pipelines.commands.main import main
from pipelines.results.exporting import dataset_of, find_checkpoint, refuse_existing
from tests.unit.pipelines.conftest import MakeRun


@pytest.fixture
def run(make_run: MakeRun) -> Path:
    """A run with the checkpoints of its epochs 4 and 8."""
    run = make_run("one")
    for epoch in (4, 8):
        write_checkpoint(run / "train" / "checkpoints", epoch, dataset=digest(run / "vectorize" / "dataset"))
    return run


def write_checkpoint(place: Path, epoch: int, dataset: str) -> None:
    directory = place / f"{10 * epoch:010d}-0123abcd"
    directory.mkdir(parents=True)
    (directory / "variables.npz").write_text(str(epoch))
    counts = {"train_step": 10 * epoch, "train_steps": 80, "epoch": epoch}
    write_manifest(
        directory, kind="checkpoint", stage="train", config={}, counts=counts, made_from={"dataset": dataset}
    )


@pytest.mark.parametrize("name", ["one", "one/train/checkpoints", "{root}/one", "{root}/one/train/checkpoints"])
def test_checkpoints_are_found_by_run_and_by_place(run: Path, root: Path, name: str) -> None:
    found = find_checkpoint(name.format(root=root), 4, str(root))
    assert (found.checkpoints, found.manifest.counts["epoch"]) == (str(run / "train" / "checkpoints"), 4)
    assert dataset_of(found, str(root)) == str(run / "vectorize" / "dataset")


def test_a_dataset_next_to_the_checkpoints_or_in_their_run_is_found_without_the_root(run: Path, tmp_path: Path) -> None:
    found = find_checkpoint(str(run), 4, str(tmp_path / "elsewhere"))
    assert dataset_of(found, str(tmp_path / "elsewhere")) == str(run / "vectorize" / "dataset")
    (run / "vectorize" / "dataset").rename(tmp_path / "dataset")
    (run / "train" / "checkpoints").rename(tmp_path / "kept")
    found = find_checkpoint(str(tmp_path / "kept"), 4, str(tmp_path / "elsewhere"))
    assert dataset_of(found, str(tmp_path / "elsewhere")) == str(tmp_path / "dataset")
    (tmp_path / "dataset").rename(tmp_path / "runs" / "moved")
    with pytest.raises(UsageError, match=r"kept: the dataset they were trained on, [0-9a-f]{16}, is neither below"):
        dataset_of(found, str(tmp_path / "elsewhere"))


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as raised:
        main(["artifacts", "export", *arguments])
    assert raised.value.code != 0
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    return err


def test_each_mistake_is_one_line(run: Path, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place, new, rooted = run / "train" / "checkpoints", str(tmp_path / "new"), ["--root", str(root)]
    assert "no checkpoint of epoch 5; there is 4, 8; train.keep_every" in refusal(
        capsys, "one", "--epoch", "5", new, *rooted
    )
    assert f"{run / 'train' / 'model'} is a model; name {place}" in refusal(
        capsys, str(run / "train" / "model"), "--epoch", "4", new, *rooted
    )
    assert "nowhere is not a directory, or is empty; name the directory" in refusal(
        capsys, "nowhere", "--epoch", "4", new, *rooted
    )
    assert "--epoch" in refusal(capsys, "one", new, *rooted)
    assert "four" in refusal(capsys, "one", "--epoch", "four", new, *rooted)
    assert not (tmp_path / "new").exists()


def test_the_checkpoints_of_two_trainings_are_ambiguous(run: Path, root: Path) -> None:
    write_checkpoint(root / "two" / "train" / "checkpoints", 4, dataset="d")
    with pytest.raises(UsageError, match=r"holds the checkpoints of 2 trainings; name one: .*/one/.*, .*/two/.*"):
        find_checkpoint(str(root), 4, str(root))
    assert run.exists()


def test_nothing_that_exists_is_replaced(run: Path, root: Path, tmp_path: Path) -> None:
    found = find_checkpoint("one", 4, str(root))
    with pytest.raises(UsageError, match="model: holds a model already; choose another place"):
        refuse_existing(str(run / "train" / "model"), found)
    with pytest.raises(ArtifactError, match="holds a corpus, which a model must not replace"):
        refuse_existing(str(run / "ingest" / "corpus"), found)
    with pytest.raises(UsageError, match=r"CHECKPOINTS .* are the same place, or one is inside the other"):
        refuse_existing(f"{found.checkpoints}/model", found)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(ArtifactError, match="holds files that are not an artifact"):
        refuse_existing(str(tmp_path / "mine"), found)
