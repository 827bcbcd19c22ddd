"""The mirror's command, and what it keeps of many logs; tests/storage has it over each kind of store."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from components.artifacts.errors import UsageError
from components.artifacts.manifest import write_manifest
from components.tensorboard.__main__ import main
from components.tensorboard.mirroring import claim, refresh
from tests.arguments import INTERRUPTIBLE

EVENTS = "events.out.tfevents.0.quillflow"


def make_model(directory: Path, seconds: int, size: int = 100) -> None:
    """A model, complete at a time in seconds since 1970, with `size` bytes of logs."""
    (directory / "tensorboard" / "training").mkdir(parents=True)
    (directory / "tensorboard" / "training" / EVENTS).write_bytes(b"." * size)
    write_manifest(directory, kind="model", stage="train", config={}, counts={}, made_from={})
    os.utime(directory / "manifest.json", (seconds, seconds))


def shown(mirror: Path) -> list[str]:
    return sorted(path.name for path in mirror.iterdir() if path.is_dir())


def error(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line that the command ends with, where it is used wrongly."""
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    claim(tmp_path / "mirror")
    return tmp_path / "mirror"


def test_a_model_is_named_by_when_it_was_complete_and_its_run_or_else_its_path(tmp_path: Path, mirror: Path) -> None:
    make_model(tmp_path / "runs" / "my-run" / "train" / "model", 0)
    make_model(tmp_path / "runs" / "alone" / "model", 86_399)
    refresh([str(tmp_path / "runs")], mirror, 1000)
    assert shown(mirror) == ["1970-01-01-00-00-00_my-run", "1970-01-01-23-59-59_runs-alone-model"]


def test_a_training_is_shown_as_such_until_its_model_is_complete(tmp_path: Path, mirror: Path) -> None:
    """Training adds event files as it continues, and removes them when the model has the log."""
    train = tmp_path / "runs" / "my-run" / "train"
    logs = train / "checkpoints" / "tensorboard" / "training"
    logs.mkdir(parents=True)
    (train / "checkpoints" / "progress.json").write_text("{}")
    for step in (10, 20):
        (logs / f"events.out.tfevents.{step:010d}.quillflow").write_bytes(b".")
        refresh([str(tmp_path / "runs")], mirror, 1000)
    assert shown(mirror) == ["training_my-run"]
    assert len([*mirror.rglob("*tfevents*")]) == 2
    make_model(train / "model", 0)
    shutil.rmtree(train / "checkpoints" / "tensorboard")
    refresh([str(tmp_path / "runs")], mirror, 1000)
    assert shown(mirror) == ["1970-01-01-00-00-00_my-run"]


def test_refreshing_removes_event_files_of_logs_that_are_gone_and_nothing_else(tmp_path: Path, mirror: Path) -> None:
    make_model(tmp_path / "runs" / "my-run" / "train" / "model", 0)
    refresh([str(tmp_path / "runs")], mirror, 1000)
    gone, kept = "1970-01-01-00-00-00_my-run", "1971-01-01-00-00-00_other/notes.txt"
    foreign = ["notes.txt", "mine/events.out.tfevents.1.mine", f"{gone}/training/notes.txt", kept]
    for name in foreign:
        (mirror / name).parent.mkdir(parents=True, exist_ok=True)
        (mirror / name).write_text("mine")
    refresh([str(tmp_path / "nothing")], mirror, 1000)
    left = [path.relative_to(mirror).as_posix() for path in mirror.rglob("*") if path.is_file()]
    assert sorted(left) == sorted([".quillflow-mirror", *foreign])


def test_a_model_that_is_trained_again_takes_the_place_of_the_old_one(tmp_path: Path, mirror: Path) -> None:
    model = tmp_path / "jobs" / "model"
    make_model(model, 0)
    refresh([str(tmp_path / "jobs")], mirror, 1000)
    (model / "tensorboard" / "training" / EVENTS).write_bytes(b"!" * 100)
    os.utime(model / "manifest.json", (1, 1))
    refresh([str(tmp_path / "jobs")], mirror, 1000)
    assert shown(mirror) == ["1970-01-01-00-00-01_jobs-model"]
    assert (mirror / "1970-01-01-00-00-01_jobs-model" / "training" / EVENTS).read_bytes() == b"!" * 100


def test_of_more_logs_than_fit_the_newest_are_kept(tmp_path: Path, mirror: Path) -> None:
    for number, size in enumerate([100, 100, 100, 5000, 100]):
        make_model(tmp_path / "runs" / f"run-{number}" / "train" / "model", number, size)
    said = refresh([str(tmp_path / "runs")], mirror, 250)
    assert shown(mirror) == ["1970-01-01-00-00-02_run-2", "1970-01-01-00-00-04_run-4"]
    assert said == "models shown: 2, 200 B of logs; 3 more would exceed --megabytes"


def test_files_that_are_somebody_s_are_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear Ada")
    with pytest.raises(UsageError, match="holds files that are not a mirror of logs"):
        claim(tmp_path)
    with pytest.raises(UsageError, match="is a file"):
        claim(tmp_path / "letter.txt")
    assert (tmp_path / "letter.txt").read_text() == "Dear Ada"


def test_wrong_use_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs = ("--logs", str(tmp_path / "logs"))
    assert "--root" in error(capsys, *logs)
    assert "ftp://somewhere: unknown scheme ftp://" in error(capsys, "--root", "ftp://somewhere", *logs)
    assert "tensorboard.every: input should be greater than 0" in error(capsys, "--root", "runs", *logs, "--every", "0")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_it_at_once(tmp_path: Path, number: int, code: int) -> None:
    command = [sys.executable, "-m", "components.tensorboard", "--root", str(tmp_path / "runs")]
    process = subprocess.Popen(
        [*INTERRUPTIBLE, *command, "--logs", str(tmp_path / "logs")], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr
    try:
        assert process.stderr.readline() == "tensorboard models shown: 0, 0 B of logs\n"
        process.send_signal(number)
        assert process.wait(timeout=20) == code
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
