"""The windows and lanes of an epoch: every window once, in an order that follows from the seed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.artifacts.dataset import Dataset
from components.artifacts.errors import ArtifactError
from components.artifacts.tensorflow import tf
from components.train.data import Lanes, Order, ShuffledWindows

few = settings(max_examples=40, deadline=None)


def _epoch(order: Order, epoch: int) -> list[list[int]]:
    """The starts of an epoch's train steps."""
    steps = range(epoch * order.steps_per_epoch, (epoch + 1) * order.steps_per_epoch)
    return [order.starts(tf.constant(step, tf.int64)).numpy().tolist() for step in steps]


def _flat(epoch: list[list[int]]) -> list[int]:
    return [start for starts in epoch for start in starts]


def test_a_dataset_is_the_text_in_two_splits(data: Dataset, text: str) -> None:
    assert (len(data.train), len(data.validation)) == (400, 100)
    assert data.vocabulary.decode(data.train) + data.vocabulary.decode(data.validation) == text
    assert (data.length, data.step) == (8, 3)


def test_held_out_text_is_named_by_its_tokens_alone(dataset_of: Callable[..., Path], text: str) -> None:
    def named(text: str, **changes: Any) -> str:
        return Dataset.read(dataset_of(text, **changes)).held_out_name(0)

    last = "abba deaf hide jag\n"
    assert len({named(text, length=8), named(text, length=16), named("fed" + text[3:])}) == 1
    others = {named(text), named(text[: -len(last)] + last), named(text, held_out=0.3), named("X" + text[1:])}
    assert len(others) == 4


def test_a_dataset_whose_shards_were_swapped_is_refused(dataset_of: Callable[..., Path]) -> None:
    directory = dataset_of(held_out=0.3)
    train, validation = sorted(directory.glob("*.tfrecord"))
    validation.write_bytes(train.read_bytes())
    with pytest.raises(ArtifactError, match="the validation shards hold 350 tokens, the manifest says 150"):
        Dataset.read(directory)


@given(
    extra=st.integers(1, 60),
    length=st.integers(1, 6),
    step=st.integers(1, 5),
    batch=st.integers(1, 9),
    seed=st.integers(0, 2**31 - 1),
)
@few
def test_an_epoch_takes_every_window_once(extra: int, length: int, step: int, batch: int, seed: int) -> None:
    tokens = length + extra
    order = ShuffledWindows(tokens=tokens, length=length, step=step, batch=batch, seed=seed)
    places = list(range(0, tokens - length, step))
    for epoch in (0, 3):
        batches = _epoch(order, epoch)
        assert sorted(_flat(batches)) == places
        assert {len(starts) for starts in batches[:-1]} <= {batch}
        assert len(batches[-1]) == (len(places) - 1) % batch + 1


def test_the_order_of_windows_is_new_with_each_epoch_and_seed() -> None:
    def order(seed: int) -> Any:
        return ShuffledWindows(tokens=103, length=3, step=1, batch=8, seed=seed)

    orders = [_flat(_epoch(order(1), 0)), _flat(_epoch(order(1), 1)), _flat(_epoch(order(2), 0)), list(range(100))]
    assert len({tuple(starts) for starts in orders}) == 4
    assert _flat(_epoch(order(1), 0)) == orders[0]


@given(extra=st.integers(0, 200), length=st.integers(1, 6), batch=st.integers(1, 5), seed=st.integers(0, 2**31 - 1))
@few
def test_each_lane_reads_its_own_text_in_order(extra: int, length: int, batch: int, seed: int) -> None:
    tokens = batch * length + length + extra
    order = Lanes(tokens=tokens, length=length, batch=batch, seed=seed)
    for epoch in (0, 2):
        starts = np.array(_epoch(order, epoch))
        assert starts.shape == (order.steps_per_epoch, batch)
        assert (np.diff(starts, axis=0) == length).all()
        assert (np.diff(starts[0]) == order.steps_per_epoch * length).all()
        assert starts.min() >= 0
        assert starts.max() + length + 1 <= tokens


@given(length=st.integers(1, 9), batch=st.integers(1, 9), extra=st.integers(0, 500))
def test_lanes_leave_out_less_than_two_windows_each(length: int, batch: int, extra: int) -> None:
    tokens = batch * length + length + extra
    read = Lanes(tokens=tokens, length=length, batch=batch, seed=1).steps_per_epoch * batch * length
    assert tokens - read < 2 * batch * length


def test_lanes_begin_elsewhere_with_each_epoch_and_seed() -> None:
    def first(seed: int, epoch: int) -> int:
        return _epoch(Lanes(tokens=1000, length=20, batch=7, seed=seed), epoch)[0][0]

    assert len({first(1, 0), first(1, 1), first(1, 2), first(2, 0)}) == 4
    assert first(1, 2) == first(1, 2)


def test_a_text_too_short_for_its_lanes_says_what_is_needed() -> None:
    with pytest.raises(ArtifactError, match=r"has 39 tokens, .* 4 lanes of windows of 8: 40 are needed"):
        Lanes(tokens=39, length=8, batch=4, seed=1)
    assert Lanes(tokens=40, length=8, batch=4, seed=1).steps_per_epoch == 1
