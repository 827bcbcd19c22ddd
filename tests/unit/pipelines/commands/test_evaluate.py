"""What `quillflow evaluate` judges if only a model is given."""

import os
from pathlib import Path

import pytest

from components.artifacts.manifest import digest, write_manifest
from pipelines.commands.evaluate import _dataset_and_samples
from pipelines.commands.main import main
from pipelines.results import finding


def make(directory: Path, kind: str, made_from: dict[str, str], age: int = 0) -> str:
    directory.mkdir(parents=True)
    (directory / "data.bin").write_bytes(bytes(age))
    write_manifest(directory, kind=kind, stage="train", config={}, counts={}, made_from=made_from)
    os.utime(directory / "manifest.json", (1e9 - age, 1e9 - age))
    return digest(directory)


def found_for(model: Path, root: Path) -> tuple[str, str]:
    return _dataset_and_samples(finding.resolve(str(model), str(root))[0], str(root))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two runs, the second of which took dataset and model from the cache, and stages that were run alone."""
    root = tmp_path / "runs"
    dataset = make(root / "run-1" / "vectorize" / "dataset", "dataset", {}, age=9)
    make(root / "run-3" / "vectorize" / "dataset", "dataset", {}, age=1)
    model = make(root / "run-1" / "train" / "model", "model", {"dataset": dataset}, age=8)
    make(root / "run-1" / "sample" / "samples", "samples", {"model": model}, age=7)
    make(root / "run-2" / "sample" / "samples", "samples", {"model": model}, age=6)
    make(root / "run-3" / "sample" / "samples", "samples", {"model": "0" * 64}, age=2)
    return root


def test_its_own_dataset_and_the_newest_samples_it_wrote_are_found_below_the_root(root: Path) -> None:
    assert found_for(root / "run-1" / "train" / "model", root) == (
        str(root / "run-1" / "vectorize" / "dataset"),
        str(root / "run-2" / "sample" / "samples"),
    )


def test_without_a_name_it_is_the_newest_model(root: Path) -> None:
    make(root / "run-3" / "train" / "model", "model", {}, age=3)
    assert str(finding.find_model("", str(root)).place) == str(root / "run-3" / "train" / "model")


def test_they_are_found_in_the_models_run_and_beside_it_wherever_the_root_is(root: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    assert found_for(root / "run-1" / "train" / "model", elsewhere) == (
        str(root / "run-1" / "vectorize" / "dataset"),
        str(root / "run-1" / "sample" / "samples"),
    )
    dataset = make(tmp_path / "work" / "dataset", "dataset", {}, age=4)
    make(tmp_path / "work" / "model", "model", {"dataset": dataset})
    assert found_for(tmp_path / "work" / "model", elsewhere) == (str(tmp_path / "work" / "dataset"), "")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["lonely/model"], 2, "the dataset it was made from is neither below runs nor near it; name it with --dataset"),
        (["nowhere"], 1, "nowhere: neither an artifact nor a run under runs"),
        (["run-3", "--root", "runs"], 1, "run-3: no model there; name another than run-3"),
        (["--root", "none"], 1, "none: no model there; make one with quillflow run, or name one"),
    ],
)
def test_what_can_not_be_judged_is_one_line(
    arguments: list[str], code: int, message: str, root: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    make(root.parent / "lonely" / "model", "model", {"dataset": "f" * 64})
    monkeypatch.chdir(root.parent)
    with pytest.raises(SystemExit) as stopped:
        main(["evaluate", *arguments])
    assert stopped.value.code == code
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert message in err
