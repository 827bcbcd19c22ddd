"""Training of a run on this machine done again: from its checkpoints, with other settings, and promoted if better."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipelines.commands.main import main
from pipelines.results.reruns import plan

RUN = "text-generation-1"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where runs are kept: one whose training has seen one epoch."""
    path = tmp_path_factory.mktemp("rerun")
    (path / "tale.txt").write_text("Once upon a time there was a mill, and the mill ground on and on. " * 60)
    run = path / "runs" / RUN
    corpus, dataset = str(run / "ingest" / "corpus"), str(run / "vectorize" / "dataset")
    assert main(["ingest", "--source", str(path / "tale.txt"), "--corpus", corpus]) == 0
    assert main(["vectorize", "--corpus", corpus, "--dataset", dataset, "--length", "16"]) == 0
    places = ["--checkpoints", str(run / "train" / "checkpoints"), "--model", str(run / "train" / "model")]
    tiny = ["--units", "16", "--batch", "8", "--epochs", "1"]
    assert main(["train", "--dataset", dataset, *places, *tiny]) == 0
    return path / "runs"


def quillflow(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[dict[str, Any], str]:
    """What a command prints as JSON, and says."""
    capsys.readouterr()
    assert main([*arguments, "--json"]) == 0
    out, err = capsys.readouterr()
    return json.loads(out), err


def test_a_run_whose_training_was_left_continues_and_its_better_model_becomes_champion(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, _ = quillflow(capsys, "promote", RUN, "--root", str(root))
    assert first["moved"]
    left = root / "left"
    shutil.copytree(root / RUN, left)
    shutil.rmtree(left / "train" / "model")

    done, err = quillflow(capsys, "rerun", "train", "--from", "left", "--root", str(root), "--set", "train.epochs=4")
    assert f"Training resumes after train step {first_steps(root)}, from {left / 'train' / 'checkpoints'}" in err
    assert "resumed at train step" in err
    assert done["metrics"]["epochs"] == 4
    assert Path(done["model"]) == root / done["run"] / "train" / "model"

    second, _ = quillflow(capsys, "promote", done["run"], "--root", str(root))
    assert second["moved"]
    assert second["champion"]["loss"] < first["champion"]["loss"]
    back, _ = quillflow(capsys, "promote", RUN, "--root", str(root))
    assert not back["moved"]
    pulled, _ = quillflow(capsys, "artifacts", "pull", "champion", str(root / "best"), "--root", str(root))
    assert (Path(pulled["pulled"][0]) / "model.keras").is_file()


@pytest.mark.parametrize(
    ("assignment", "start"), [("train.init_from=s3://b/other", "s3://b/other"), ("train.start_anew=true", "")]
)
def test_where_to_resume_from_is_what_was_set(root: Path, assignment: str, start: str) -> None:
    left = root / "left-too"
    if not left.exists():
        shutil.copytree(root / RUN, left)
        shutil.rmtree(left / "train" / "model")
    settings = plan("train", "left-too", str(root), recorded={}, assignments=[assignment], fallback="quick").settings
    assert settings["train"].model_dump()["init_from"] == start


def test_training_that_was_finished_is_done_again(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done, err = quillflow(capsys, "rerun", "train", "--from", RUN, "--root", str(root), "--set", "train.seed=7")
    assert "resumed" not in err
    assert done["metrics"]["epochs"] == 1
    config = json.loads((Path(done["model"]) / "manifest.json").read_text())["config"]
    assert (config["units"], config["batch"], config["seed"]) == (16, 8, 7)


@pytest.mark.parametrize(
    ("stage", "kind", "has_page"),
    [
        ("ingest", "corpus", True),
        ("vectorize", "dataset", False),
        ("train", "model", True),
        ("sample", "samples", True),
    ],
)
def test_the_end_names_what_was_made_and_its_page(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, stage: str, kind: str,
    has_page: bool,
) -> None:  # fmt: skip
    monkeypatch.chdir(root.parent)
    arguments = ["--set", "sample.length=5"] if stage == "sample" else []
    assert main(["rerun", stage, "--from", RUN, "--root", "runs", *arguments]) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    place = f"runs/{first.split()[1].rstrip(':')}/{stage}/{kind}"
    named = [line.split() for line in lines if not line.startswith("  checkpoints")]
    assert named == [[kind, place], *([["report", f"{place}/report.html"]] if has_page else [])]
    assert all((root.parent / path).exists() for _, path in named)


@pytest.mark.parametrize("stage", ["ingest", "vectorize", "train", "sample"])
def test_a_run_that_is_not_there_is_one_line(root: Path, capsys: pytest.CaptureFixture[str], stage: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["rerun", stage, "--from", "nowhere", "--root", str(root)])
    assert stopped.value.code == 1
    out, err = capsys.readouterr()
    said = f"error: nowhere: neither an artifact nor a run under {root}; quillflow artifacts ls lists both\n"
    assert (out, err) == ("", said)


def first_steps(root: Path) -> int:
    return int(json.loads((root / RUN / "train" / "model" / "metrics.json").read_text())["steps"])
