"""Training that is stopped, by SIGTERM or by Ctrl-C, saves; and it resumes as if nothing had happened."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from components.command import log
from components.train.config import TrainConfig
from components.train.stopping import Stopping
from components.train.trainer import Trainer
from components.train.training import train
from tests.arguments import INTERRUPTIBLE
from tests.shorter import without_page
from tests.unit.train.trained import checkpoints_in

TrainAt = Callable[..., Path]


@pytest.fixture(autouse=True, scope="module")
def chains() -> None:
    """Two, as the processes of these tests compute."""


@pytest.fixture
def train_at(config_of: Callable[..., TrainConfig], dataset: Path) -> TrainAt:
    """Trains an epoch at a place but for the changes, and returns the model."""

    def go(place: Path, *, of: Path = dataset, **changes: Any) -> Path:
        config = config_of(**({} if "train_steps" in changes else {"epochs": 1}), **changes)
        with without_page():
            train(config, dataset=str(of), checkpoints=str(place / "checkpoints"), model=str(place / "model"))
        return place / "model"

    return go


def _weights(model: Path) -> str:
    return str(json.loads((model / "config.json").read_bytes())["weights_sha256"])


def _saved_steps(place: Path) -> list[int]:
    """The train steps of the checkpoints at a place."""
    return list(checkpoints_in(place))


def _command(dataset: Path, place: Path, *flags: str, before: str = "") -> list[str]:
    """The command that trains as `config_of` says, after a line of Python."""
    settings = "--units 8 --embedding-size 4 --batch 4 --schedule constant --learning-rate 0.01 --dropout 0.25"
    places = ["--dataset", dataset, "--checkpoints", place / "checkpoints", "--model", place / "model"]
    code = f"{before}\nfrom components.train.__main__ import STAGE\nSTAGE.main()"
    python = [*INTERRUPTIBLE, sys.executable, "-c", code]
    return [*python, *map(str, places), *settings.split(), *flags]


@contextmanager
def _within_an_epoch(command: list[str]) -> Iterator["subprocess.Popen[str]"]:
    """Training when it has shown its progress three times."""
    environment = {**os.environ, "QUILLFLOW_LOG": "json"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        progress = (line for line in process.stderr if '"DEBUG"' in line)
        for _ in range(3):
            next(progress)
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.slow("three trainings, in processes of their own")
@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGTERM, 143),
        (signal.SIGINT, 130),
        (signal.SIGHUP, 143),
    ],
)
def test_a_run_stopped_during_its_first_epoch_saves_and_another_resumes(
    number: int,
    code: int,
    train_at: TrainAt,
    dataset_of: Callable[..., Path],
    text: str,
    tmp_path: Path,
) -> None:
    dataset = dataset_of(text * 100, held_out=0.01)
    with _within_an_epoch(_command(dataset, tmp_path / "parts", "--epochs", "100000")) as process:
        process.send_signal(number)
        assert process.stderr is not None
        rest = process.stderr.read()
        assert process.wait() == code, rest
    assert not (tmp_path / "parts" / "model").exists()
    (reached,) = _saved_steps(tmp_path / "parts")
    assert 3 <= reached < 1546  # train steps an epoch
    assert f"saved at train step {reached:,}" in rest
    assert (f"stopped by {signal.Signals(number).name}; " in rest) == (number != signal.SIGINT)
    assert ("press Ctrl-C again to stop at once" in rest) == (number == signal.SIGINT)
    settings = {"dropout": 0.25, "train_steps": reached + 9, "export": "last"}
    again, whole = (_weights(train_at(tmp_path / place, of=dataset, **settings)) for place in ("parts", "whole"))
    assert again == whole


@pytest.mark.slow("a training in a process of its own")
def test_a_second_ctrl_c_ends_it_at_once_without_saving(
    dataset_of: Callable[..., Path], text: str, tmp_path: Path
) -> None:
    slow = "import time; from components.train.checkpoints import Checkpoints as C; C.save = lambda *_: time.sleep(900)"
    command = _command(dataset_of(text * 100, held_out=0.01), tmp_path, "--epochs", "100000", before=slow)
    with _within_an_epoch(command) as process:
        assert process.stderr is not None
        process.send_signal(signal.SIGINT)
        assert any("saving; press Ctrl-C again to stop at once" in line for line in process.stderr)
        process.send_signal(signal.SIGTERM)  # as a run passes Ctrl-C on, besides
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
        assert "error: interrupted before the checkpoint was saved" in process.stderr.read()
    assert _saved_steps(tmp_path) == []


@pytest.fixture
def ctrl_c_at_the_first_step(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ctrl-C comes while the first train step is taken."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    advance = Trainer.advance

    def pressed(trainer: Trainer, step: int, count: int) -> Any:
        if step == 0:
            os.kill(os.getpid(), signal.SIGINT)
        return advance(trainer, step, count)

    monkeypatch.setattr(Trainer, "advance", pressed)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("ctrl_c_at_the_first_step")
def test_ctrl_c_before_a_train_step_is_taken_saves_nothing_and_says_so(
    train_at: TrainAt, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log.set_up("train")
    with pytest.raises(SystemExit) as stopped:
        train_at(tmp_path)
    assert stopped.value.code == 130
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "train      warning: interrupted; no train step was taken yet, so nothing is saved"
    assert _saved_steps(tmp_path) == []


@pytest.mark.usefixtures("ctrl_c_at_the_first_step")
def test_ctrl_c_that_the_caller_ignores_stays_ignored(train_at: TrainAt, tmp_path: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    assert _weights(train_at(tmp_path))
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


@pytest.fixture
def heard() -> Iterator[Callable[[int], list[str]]]:
    """What is saved, and the code that training ends with, when a signal arrives during a train step."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}

    def send(number: int) -> list[str]:
        done: list[str] = []
        stopping = Stopping(taken=lambda: 5, saved=lambda: 3, save=lambda: done.append("saved"))
        with stopping.heeded():
            signal.raise_signal(number)
            assert not done  # the call under way ends first
            try:
                stopping.if_asked()
            except SystemExit as ended:
                done.append(str(ended.code))
        return done

    yield send
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, "143"), (signal.SIGHUP, "143"), (signal.SIGINT, "130")])
def test_each_signal_that_ends_training_saves_first(number: int, code: str, heard: Callable[[int], list[str]]) -> None:
    signal.signal(number, signal.SIG_DFL)
    assert heard(number) == ["saved", code]


def test_a_terminal_that_closes_ends_no_training_that_nohup_started(heard: Callable[[int], list[str]]) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assert heard(signal.SIGHUP) == []
