"""The held-out loss is that of reading the text in one go, or in its windows."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from components.artifacts import part
from components.artifacts.dataset import Dataset
from components.artifacts.part import Part, part_of
from components.artifacts.tensorflow import tf
from components.generator import scoring
from components.generator.network import build, stepper_of
from components.train.config import TrainConfig
from components.train.evaluation import Evaluation
from components.train.trainer import Trainer
from tests.shorter import mostly_slow

IDS = np.random.default_rng(7).integers(0, 12, 1500).astype(np.uint8)


@pytest.fixture(scope="module")
def trainer_of(config_of: Callable[..., TrainConfig], data: Dataset) -> Callable[..., Trainer]:
    """Makes trainers whose weights are large, so that the state matters for many tokens."""

    def make(**changes: Any) -> Trainer:
        trainer = Trainer(config_of(**changes), data)
        rng = np.random.default_rng(8)
        weights = trainer.network.get_weights()
        trainer.network.set_weights([weight + rng.normal(0, 0.5, weight.shape) for weight in weights])
        return trainer

    return make


@pytest.fixture(scope="module")
def carrying(trainer_of: Callable[..., Trainer]) -> Trainer:
    return trainer_of()


@pytest.fixture(scope="module")
def resetting(trainer_of: Callable[..., Trainer]) -> Trainer:
    return trainer_of(carry_state=False)


@pytest.fixture(scope="module")
def of_next(trainer_of: Callable[..., Trainer]) -> Trainer:
    return trainer_of(objective="next")


def whole(ids: NDArray[np.uint8]) -> Part:
    return part_of(ids, 0, window=8)


def _nats(logits: Any, label: int) -> float:
    row = np.array(logits, np.float64)
    return float(np.log(np.exp(row).sum()) - row[label])


def _costs_in_one_go(trainer: Trainer, ids: NDArray[np.uint8]) -> list[float]:
    """The nats of every token but the first, each after all the tokens before it."""
    stepper = stepper_of(trainer.architecture, trainer.network)

    @tf.function
    def read(token: Any, states: Any) -> tuple[Any, Any]:
        states = stepper.read(token, states)
        return states, stepper.logits(states)

    states, nats = stepper.zero_states(1), []
    for index, label in enumerate(ids[1:]):
        states, logits = read(tf.constant(ids[index : index + 1], tf.int32), states)
        nats.append(_nats(logits[0], label))
    return nats


@pytest.fixture(scope="module")
def costs_of_all(carrying: Trainer) -> list[float]:
    return _costs_in_one_go(carrying, IDS)


def _read_in_one_go(trainer: Trainer, ids: NDArray[np.uint8]) -> float:
    return float(np.mean(_costs_in_one_go(trainer, ids)))


def _window_by_window(
    trainer: Trainer, ids: NDArray[np.uint8], step: int, counted: NDArray[np.int64] | None = None
) -> float:
    """The mean nats of the targets of each window alone, read from a zero state; of those at `counted`, if given."""
    network = build(trainer.architecture)
    network.set_weights(trainer.network.get_weights())
    starts = range(0, len(ids) - 1, step)
    if trainer.config.objective == "next":
        ends = [start + 8 for start in starts if start + 8 < len(ids) and (counted is None or start + 8 in counted)]
        rows = network(np.array([ids[end - 8 : end] for end in ends], np.int32))
        return float(np.mean([_nats(row, ids[end]) for row, end in zip(rows, ends, strict=True)]))
    nats = []
    for start in starts:
        window, targets = ids[start : start + 8], ids[start + 1 : start + 9]
        logits = np.array(network(window[None].astype(np.int32)))[0]
        nats += [_nats(row, label) for row, label in zip(logits, targets, strict=False)]
    return float(np.mean(nats))


def test_carry_equals_reading_a_short_text_in_one_go(carrying: Trainer) -> None:
    ids = IDS[:500]
    assert Evaluation(carrying, whole(ids), step=3)() == pytest.approx(_read_in_one_go(carrying, ids), abs=1e-5)


def test_carry_is_close_to_reading_a_long_text_in_one_go(carrying: Trainer, costs_of_all: list[float]) -> None:
    assert Evaluation(carrying, whole(IDS), step=3)() == pytest.approx(np.mean(costs_of_all), abs=1e-3)


def test_carry_needs_its_warm_up(carrying: Trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = _read_in_one_go(carrying, IDS[:500])
    monkeypatch.setattr(scoring, "WARM_UP_TOKENS", 0)
    assert Evaluation(carrying, whole(IDS[:500]), step=3)() != pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("tokens", mostly_slow([2, 5, 8, 9, 10, 17, 130], quick=3))
def test_carry_scores_every_target_of_texts_of_any_length(carrying: Trainer, tokens: int) -> None:
    ids = IDS[:tokens]
    assert Evaluation(carrying, whole(ids), step=3)() == pytest.approx(_read_in_one_go(carrying, ids), abs=1e-5)


@pytest.mark.parametrize("tokens", mostly_slow([2, 9, 10, 96, 97], quick=3))
def test_windows_of_sequences_lie_end_to_end(resetting: Trainer, tokens: int) -> None:
    ids = IDS[:tokens]
    assert Evaluation(resetting, whole(ids), step=3)() == pytest.approx(_window_by_window(resetting, ids, 8), abs=1e-5)


@pytest.mark.parametrize("tokens", [9, 11, 12, 60])
@pytest.mark.parametrize("step", [1, 3])
def test_windows_of_one_target_are_the_datasets(of_next: Trainer, tokens: int, step: int) -> None:
    ids = IDS[:tokens]
    assert Evaluation(of_next, whole(ids), step=step)() == pytest.approx(
        _window_by_window(of_next, ids, step), abs=1e-5
    )


@pytest.mark.parametrize(("bound", "value"), [("WINDOWS_AT_ONCE", 50), ("_LOGITS_AT_ONCE", 50 * 12)])
def test_the_loss_does_not_depend_on_how_many_windows_go_at_once(
    of_next: Trainer, monkeypatch: pytest.MonkeyPatch, bound: str, value: int
) -> None:
    expected = Evaluation(of_next, whole(IDS[:200]), step=1)()
    monkeypatch.setattr(scoring, bound, value)
    assert Evaluation(of_next, whole(IDS[:200]), step=1)() == pytest.approx(expected, abs=1e-6)


def test_of_a_long_text_a_part_is_scored_as_if_all_had_been_read(
    carrying: Trainer, of_next: Trainer, costs_of_all: list[float]
) -> None:
    numbered = part_of(np.arange(len(IDS)), 200, window=8)
    counted = numbered.ids[numbered.counts]
    some = Part(ids=IDS[numbered.ids], counts=numbered.counts)
    costs = np.array(costs_of_all)[counted[counted > 0] - 1]
    scored: list[int] = []
    carried = Evaluation(carrying, some, step=3)
    assert carried(scored.append) == pytest.approx(costs.mean(), abs=1e-3)
    assert costs.mean() != pytest.approx(np.mean(costs_of_all), abs=1e-2)
    assert scored[-1] == carried.targets == len(costs) == 191
    assert scored == sorted(scored)
    of_windows = Evaluation(of_next, some, step=1)
    counted = counted[counted >= 8]
    assert of_windows() == pytest.approx(_window_by_window(of_next, IDS, 1, counted), abs=1e-5)
    assert of_windows.targets == len(counted)


def test_a_part_needs_its_lead_in(carrying: Trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = Evaluation(carrying, part_of(IDS, 200, window=8), step=3)()
    monkeypatch.setattr(part, "LEAD_IN_TOKENS", 0)
    assert Evaluation(carrying, part_of(IDS, 200, window=0), step=3)() != pytest.approx(expected, abs=1e-3)


def test_dropout_is_off(trainer_of: Callable[..., Trainer], resetting: Trainer) -> None:
    dropping = trainer_of(carry_state=False, dropout=0.9)
    dropping.network.set_weights(resetting.network.get_weights())
    losses = [Evaluation(trainer, whole(IDS[:100]), step=3)() for trainer in (dropping, resetting)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)


def test_nothing_held_out_gives_no_loss(carrying: Trainer, resetting: Trainer, of_next: Trainer) -> None:
    for trainer, too_few in ((carrying, 1), (resetting, 1), (of_next, 8)):
        assert Evaluation(trainer, whole(IDS[:0]), step=3)() is None
        assert Evaluation(trainer, whole(IDS[:too_few]), step=3)() is None


def test_the_protocol_is_named(carrying: Trainer, resetting: Trainer, of_next: Trainer) -> None:
    protocols = [Evaluation(trainer, whole(IDS[:9]), step=3).protocol for trainer in (carrying, resetting, of_next)]
    assert protocols == ["carry", "window of 8", "window of 8"]
