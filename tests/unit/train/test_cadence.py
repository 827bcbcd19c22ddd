"""What training does after which train step follows from the step alone."""

from itertools import pairwise

import pytest

from components.train.cadence import Cadence
from components.train.config import TrainConfig


def cadence(train_steps: int = 25, **settings: object) -> Cadence:
    return Cadence(config=TrainConfig.parse(settings, "train"), steps_per_epoch=10, train_steps=train_steps)


def test_a_row_is_due_at_each_epochs_end_and_at_the_end_of_training() -> None:
    assert [step for step in range(26) if cadence().row_is_due(step)] == [10, 20, 25]
    assert cadence().epochs == 3
    assert [cadence().epoch_of(step) for step in (1, 10, 11, 25)] == [1, 1, 2, 3]


def test_calls_end_where_something_is_due() -> None:
    long = cadence(1000, checkpoint_steps=7)  # a curve's point is due at each tenth step
    step, met = 0, []
    while step < 30:
        step += long.until_next(step)
        met.append(step)
    assert met == [7, 10, 14, 20, 21, 28, 30]
    assert [step for step in met if long.checkpoint_is_due(step)] == [7, 14, 21, 28]
    assert [step for step in met if long.point_is_due(step)] == [10, 20, 30]


@pytest.mark.parametrize(
    ("settings", "epochs"),
    [
        ({"sample_every": 2}, [2]),
        ({"sample_at": (1, 3)}, [1, 3]),
        ({"sample_times": 1}, [3]),
        ({"sample_times": 0}, []),
    ],
)
def test_samples_are_due_after_the_epochs_asked_for(settings: dict[str, object], epochs: list[int]) -> None:
    ends = [0, 10, 20, 25]
    due = cadence(**settings)
    assert [due.epoch_of(step) for before, step in pairwise(ends) if due.samples_are_due(step, before)] == epochs
