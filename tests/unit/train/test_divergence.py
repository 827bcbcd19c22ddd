"""Training whose numbers are not finite any more ends at once, and what was saved before stays."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.artifacts.errors import DivergedError
from components.train.config import TrainConfig
from components.train.divergence import check_finite, worst_of
from components.train.evaluation import Evaluation
from components.train.trainer import Trainer
from components.train.training import train
from tests.unit.train.trained import checkpoints_in

NAN, INFINITE = float("nan"), float("inf")
BROKEN_AT = 10


@pytest.fixture
def ended(config_of: Callable[..., TrainConfig], dataset: Path, tmp_path: Path) -> Callable[..., str]:
    """The error that ends three epochs of training, of 12 train steps each, with a checkpoint every four."""

    def go(**changes: Any) -> str:
        config = config_of(**{"epochs": 3, "checkpoint_steps": 4, "keep_checkpoints": 9, **changes})
        with pytest.raises(DivergedError) as stopped:
            train(config, dataset=str(dataset), checkpoints=f"{tmp_path}/checkpoints", model=f"{tmp_path}/model")
        assert not (tmp_path / "model").exists()
        return str(stopped.value)

    return go


def _kept(place: Path) -> list[int]:
    """The train steps of the checkpoints, in each of which all is finite."""
    found = checkpoints_in(place)
    for checkpoint in found.values():
        with np.load(checkpoint / "variables.npz") as arrays:
            assert all(np.isfinite(arrays[name]).all() for name in arrays.files)
    return list(found)


def _breaking(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the loss, or a weight alone, be no number from a train step on."""
    advance = Trainer.advance

    def broken(trainer: Trainer, first: int, count: int) -> tuple[float, int]:
        nats, targets = advance(trainer, first, count)
        if first + count > BROKEN_AT and what == "weight":
            trainer.network.weights[0].assign(trainer.network.weights[0] * INFINITE)
        return (NAN if first + count > BROKEN_AT and what == "loss" else nats), targets

    monkeypatch.setattr(Trainer, "advance", broken)


def test_a_loss_that_is_no_number_ends_training_where_it_came(
    ended: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _breaking("loss", monkeypatch)
    message = ended()
    reported = r"^the loss of train steps (\d+) to (\d+) is nan: training has diverged; start over with a lower "
    first, last = map(int, re.findall(reported, message)[0])
    assert first <= BROKEN_AT + 1 <= last <= 12
    assert " a lower train.learning_rate (0.01) or a lower train.clip_norm (1); " in message
    assert message.endswith("what was saved up to train step 8 is kept")
    assert _kept(tmp_path) == [4, 8]


def test_weights_that_are_no_numbers_are_not_saved(
    ended: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _breaking("weight", monkeypatch)
    assert "is kept" in ended(checkpoint_steps=1)
    assert max(_kept(tmp_path)) == BROKEN_AT


def test_a_held_out_loss_that_is_no_number_ends_training(
    ended: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Evaluation, "__call__", lambda *_: INFINITE)
    assert ended().startswith("the held-out loss after train step 12 is inf: ")
    assert _kept(tmp_path) == [4, 8]


def test_steps_as_large_as_numbers_go_end_training(ended: Callable[..., str]) -> None:
    message = ended(optimizer="sgd", learning_rate=3e38, clip_norm=0)
    assert message.endswith("train.learning_rate (3e+38) or train.clip_norm=1; nothing was saved before")


@pytest.mark.parametrize(("number", "is_finite"), [(0.0, True), (1e300, True), (NAN, False), (-INFINITE, False)])
def test_only_what_is_not_finite_is_refused(number: float, *, is_finite: bool) -> None:
    config = TrainConfig(precision="bfloat16")
    if is_finite:
        check_finite(number, "it", config, saved=0)
    else:
        with pytest.raises(
            DivergedError, match=r"^it is (nan|-inf): .* or train\.precision=float32; nothing was saved"
        ):
            check_finite(number, "it", config, saved=0)


def test_the_worst_of_arrays_is_found_wherever_it_is() -> None:
    good = [np.ones((2, 3), np.float32), np.array(7), np.zeros(0)]
    assert worst_of(good) == 0.0
    assert worst_of([*good, np.array([[1.0, INFINITE]])]) == INFINITE
    assert np.isnan(worst_of([np.array(NAN, np.float32), *good]))
