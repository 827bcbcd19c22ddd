"""Training for so many minutes: how many train steps those are, as exact as a number that is given."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.artifacts.errors import UsageError
from components.artifacts.manifest import read_manifest
from components.generator import scoring
from components.train import loop, pacing
from components.train.cadence import Cadence
from components.train.config import TrainConfig
from components.train.evaluation import Evaluation
from components.train.pacing import Costs, next_call, train_steps_within
from components.train.trainer import Trainer
from components.train.training import train
from tests.shorter import without_page
from tests.unit.train.trained import checkpoints_in

PLAIN = TrainConfig(epochs=1)


def cadence(config: TrainConfig, train_steps: int, steps_per_epoch: int) -> Cadence:
    return Cadence(config=config, train_steps=train_steps, steps_per_epoch=steps_per_epoch)


SETTINGS = {"minutes": 1.0, "schedule": "cosine", "dropout": 0.25, "export": "last", "keep_checkpoints": 99}
SAMPLES = {"sample_times": 4, "sample_length": 4, "sample_temperatures": (0,)}
STEP, BATCH, WRITING, TRACING = 0.1, 0.2, 1.5, 5.0  # seconds by the clock of these tests


# --- the arithmetic ---


def test_all_that_is_done_beside_train_steps_is_counted() -> None:
    costs = Costs(step=1.0, evaluation=10.0, samples=100.0, copy=1000.0)
    config = PLAIN.model_copy(update={"sample_every": 2, "sample_at": (1, 9), "checkpoint_seconds": 1e9})
    # Epochs 1, 2, 3 and the rest of 10: samples after the first and the second.
    assert costs.of(cadence(config, 32, 10), taken=0) == 32 + 4 * 10 + 3 * 100 + 4 * 1000
    assert costs.of(cadence(config, 32, 10), taken=30) == 2 + 10 + 1000
    often = config.model_copy(update={"checkpoint_steps": 4})
    assert costs.of(cadence(often, 32, 10), taken=0) == 32 + 40 + 300 + (4 + 8) * 1000


def test_checkpoints_that_take_longer_than_what_is_between_them_set_the_pace() -> None:
    def seconds(commit: float) -> float:
        costs = Costs(step=1.0, copy=0.5, commit=commit)
        return costs.of(cadence(PLAIN, 100, 10), taken=0)

    assert seconds(2.0) == 100 + 10 * 0.5 + 2
    assert seconds(30.0) == 10 * 30 + 30


@given(
    seconds=st.floats(0.5, 2e4),
    step=st.floats(1e-3, 2),
    evaluation=st.floats(0, 50),
    commit=st.floats(0, 5),
    taken=st.integers(0, 1000),
    steps_per_epoch=st.integers(1, 5000),
)
def test_no_more_train_steps_would_fit(
    seconds: float, step: float, evaluation: float, commit: float, taken: int, steps_per_epoch: int
) -> None:
    costs = Costs(step=step, evaluation=evaluation, commit=commit)
    found = train_steps_within(seconds, costs, cadence(PLAIN, taken, steps_per_epoch), taken=taken)
    of = [costs.of(cadence(PLAIN, steps, steps_per_epoch), taken=taken) for steps in (found, found + 1)]
    assert found == taken or of[0] <= seconds
    assert of[1] > seconds


@pytest.mark.parametrize("seconds", [-3.0, 0.0, 0.4])
def test_no_time_holds_no_train_step(seconds: float) -> None:
    assert train_steps_within(seconds, Costs(step=0.5), cadence(PLAIN, 7, 10), taken=7) == 7


def test_calls_grow_to_half_a_second() -> None:
    counts = [1]
    for _ in range(8):
        counts.append(next_call(counts[-1], counts[-1] * 0.02))
    assert counts == [1, 2, 4, 8, 16, 25, 25, 25, 25]
    assert next_call(1, 40.0) == 1


# --- a run ---


class Clock:
    """A clock by which work takes as long as these tests say."""

    def __init__(self) -> None:
        self.now = 0.0
        self.speed = 1.0

    def monotonic(self) -> float:
        return self.now

    def slowed(self, work: Callable[..., Any], seconds: Callable[..., float]) -> Callable[..., Any]:
        """The work, which takes so long."""

        def done(*arguments: Any, **named: Any) -> Any:
            self.now += seconds(*arguments) / self.speed
            return work(*arguments, **named)

        return done


@pytest.fixture(scope="module")
def clock() -> Iterator[Clock]:
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock()
        for module in (loop, pacing, scoring):
            patch.setattr(module, "time", SimpleNamespace(monotonic=clock.monotonic))
        traced: set[int] = set()

        def step_seconds(trainer: Trainer, _: int, count: int) -> float:
            tracing = 0.0 if id(trainer) in traced else TRACING
            traced.add(id(trainer))
            return tracing + count * STEP

        patch.setattr(Trainer, "advance", clock.slowed(Trainer.advance, step_seconds))
        score = Evaluation._score_batch
        patch.setattr(Evaluation, "_score_batch", clock.slowed(score, lambda *_: BATCH))
        for module in (pacing, loop):
            name = "texts_of" if module is pacing else "write_samples"
            patch.setattr(module, name, clock.slowed(getattr(module, name), lambda *_: WRITING))
        yield clock


@pytest.fixture(scope="module")
def train_in(config_of: Callable[..., TrainConfig], dataset: Path, clock: Clock) -> Callable[..., Path]:
    """Trains at a place but for the changes, with a clock of its own, and returns the model."""

    def go(place: Path, **changes: Any) -> Path:
        clock.now = 0.0
        config = config_of(**{**SETTINGS, **SAMPLES, **changes})
        with without_page():
            train(config, dataset=str(dataset), checkpoints=str(place / "checkpoints"), model=str(place / "model"))
        return place / "model"

    return go


@pytest.fixture(scope="module")
def timed(train_in: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of a minute's training."""
    return train_in(tmp_path_factory.mktemp("timed"))


def _metrics(model: Path) -> dict[str, Any]:
    metrics: dict[str, Any] = json.loads((model / "metrics.json").read_bytes())
    return metrics


def _weights(model: Path) -> str:
    return str(json.loads((model / "config.json").read_bytes())["weights_sha256"])


def _checkpoints(model: Path) -> list[Path]:
    return list(checkpoints_in(model.parent).values())


def test_it_lasts_as_long_as_was_asked_for_with_all_that_is_beside_train_steps(timed: Path) -> None:
    metrics = _metrics(timed)
    assert metrics["wall_seconds"] == pytest.approx(60, rel=0.1)
    assert metrics["train_steps"] * STEP < 40  # else nothing but train steps was counted


def test_the_time_left_counts_the_scoring_of_held_out_text(
    train_in: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[str] = []
    monkeypatch.setattr(loop.log, "progress", reported.append)
    no_samples = {name: TrainConfig.model_fields[name].default for name in SAMPLES}
    train_in(tmp_path, minutes=0, train_steps=24, **no_samples)
    batches = 16 + 1  # a window of 8 tokens for each of 64 lanes, after a warm-up of 128
    last_step = next(line for line in reversed(reported) if line.startswith("step 24/24 "))
    assert re.search(r" 0:0[34] left$", last_step)  # 3.5 s by these clocks
    left = [line.rpartition("  ")[2] for line in reported if line.startswith("held-out text: ")][batches:]
    assert len(left) == batches
    assert (left[0], left[-1]) == ("0:03 left", "0:00 left")


def test_the_number_is_in_the_checkpoints_and_in_the_model(timed: Path) -> None:
    count = _metrics(timed)["train_steps"]
    assert read_manifest(timed).counts["train_steps"] == _metrics(timed)["steps"] == count
    checkpoints = _checkpoints(timed)
    assert checkpoints[0].name.startswith("0000000000-")  # before the first train step
    for checkpoint in checkpoints:
        assert read_manifest(checkpoint).counts["train_steps"] == count
        assert json.loads((checkpoint / "progress.json").read_bytes())["minutes"] == 1.0


def test_the_same_number_given_makes_the_same_weights(
    timed: Path, train_in: Callable[..., Path], tmp_path: Path
) -> None:
    given_ = train_in(tmp_path, minutes=0, train_steps=_metrics(timed)["train_steps"])
    assert _weights(given_) == _weights(timed)
    assert _metrics(given_)["validation_loss_nats"] == _metrics(timed)["validation_loss_nats"]


@pytest.mark.slow("three trainings each")
@pytest.mark.parametrize("kept", [1, 5])
def test_a_run_killed_when_the_number_was_set_ends_the_same_on_a_slower_machine(
    timed: Path, train_in: Callable[..., Path], clock: Clock, tmp_path: Path, kept: int
) -> None:
    for checkpoint in _checkpoints(timed)[:kept]:
        shutil.copytree(checkpoint, tmp_path / "checkpoints" / checkpoint.name)
    clock.speed = 0.25
    try:
        again = train_in(tmp_path)
    finally:
        clock.speed = 1.0
    assert _metrics(again)["train_steps"] == _metrics(timed)["train_steps"]
    assert _weights(again) == _weights(timed)


def test_more_minutes_resume_from_what_was_trained(timed: Path, train_in: Callable[..., Path], tmp_path: Path) -> None:
    shutil.copytree(timed.parent / "checkpoints", tmp_path / "checkpoints")
    metrics = _metrics(train_in(tmp_path, minutes=1.5))
    assert metrics["train_steps"] > _metrics(timed)["train_steps"]
    assert metrics["wall_seconds"] == pytest.approx(90, rel=0.1)


def test_too_few_minutes_for_a_train_step_are_refused(train_in: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"train\.minutes: 0\.1 leaves no time for a train step: 0:\d\d of it is spent"
    ):
        train_in(tmp_path, minutes=0.1)
    assert not (tmp_path / "model").exists()


def test_minutes_and_train_steps_can_not_both_count() -> None:
    with pytest.raises(UsageError, match=r"train: train_steps and minutes exclude each other; set one of them to 0"):
        TrainConfig.parse({"minutes": "3", "train_steps": "100"}, "train")
