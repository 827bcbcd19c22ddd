"""Training in a pipeline's task: killed with -9 it resumes in its pod; when Kubeflow's launcher dies it saves."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from components.train.attempts import RETRIES_VARIABLE, Retries
from tests.durability import harness

pytestmark = pytest.mark.slow("TensorFlow is imported several times")
SETTINGS = {**harness.COMMON, "optimizer": "adamw", "epochs": 2, "checkpoint_steps": 10}
ENDLESS = {**SETTINGS, "epochs": 100_000, "checkpoint_steps": 0}
PATIENCE_SECONDS = 240


@contextmanager
def task(how: str, dataset: Path, place: Path, settings: dict[str, object]) -> Iterator["subprocess.Popen[str]"]:
    """A task that trains, with two retries."""
    command = [sys.executable, "-m", "tests.durability.task", how, str(dataset), str(place), json.dumps(settings)]
    environment = {**os.environ, RETRIES_VARIABLE: Retries(count=2, backoff=0.1, factor=1).as_variable()}
    output = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def below(process: int, levels: int) -> int:
    """The process so many levels below another."""
    for _ in range(levels):
        (process,) = children(process)
    return process


def steps(place: Path) -> list[int]:
    """The train steps of the committed checkpoints."""
    found = (place / "checkpoints").glob("[0-9]*/manifest.json")
    return sorted(int(path.parent.name.partition("-")[0]) for path in found)


def until(what: str, holds: object) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def test_killed_again_and_again_it_ends_with_the_undisturbed_run_s_weights(dataset: Path, tmp_path: Path) -> None:
    assert harness.train(dataset, tmp_path / "alone", SETTINGS) == 0
    place = tmp_path / "disturbed"
    with task("train", dataset, place, SETTINGS) as process:
        seen = 0
        for _ in range(2):
            until("a checkpoint", lambda seen=seen: steps(place)[-1:] > [seen])
            seen = steps(place)[-1]
            os.kill(below(process.pid, 1), signal.SIGKILL)
            until("another process", lambda: len(children(process.pid)) == 1)
        reported, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, reported
    assert reported.count("error: training was killed by SIGKILL") == 2
    assert "restarts from its checkpoints in 0.1 s, retry 2 of 2" in reported
    assert "resumed at train step" in reported
    assert harness.weights(place) == harness.weights(tmp_path / "alone")


def test_when_the_launcher_is_gone_it_saves_and_releases_the_checkpoints(dataset: Path, tmp_path: Path) -> None:
    place = tmp_path / "orphaned"
    with task("launch", dataset, place, ENDLESS) as launcher:
        reported = iter(launcher.stdout or ())
        assert any("tokens/s" in line for line in reported)
        saved, trainer = steps(place), below(launcher.pid, 3)
        launcher.send_signal(signal.SIGTERM)
        until("its end", lambda: state(trainer) == "Z")
    assert steps(place)[-1:] > saved[-1:]
    assert (place / "checkpoints" / "OWNER").read_bytes() == b""


def state(process: int) -> str:
    """A process's state, Z where it has ended and nobody has asked how."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"
