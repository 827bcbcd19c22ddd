"""How fast training gets its tokens: a split from TFRecords, windows in TensorFlow's graph, and a large corpus.

Each is timed in turns with the plainest way to do as much on this machine: a split with reading its files and their
CRC-32C, windows with NumPy's indexing, training on a large corpus with training on a small one.
"""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from components.artifacts.dataset import Dataset
from components.artifacts.manifest import Manifest, Producer, write_manifest
from components.artifacts.records import SplitWriter, read_split
from components.artifacts.tensorflow import tf
from components.artifacts.vocabulary import Vocabulary
from components.generator.text import Text
from components.train.config import TrainConfig
from components.train.data import Lanes, Order, ShuffledWindows
from components.train.trainer import Trainer
from tests.benchmarks.measure import Budget, Figure, paired

LENGTH = 64
VOCABULARY = Vocabulary(kind="characters", tokens=tuple(map(chr, range(32, 127))))
STEPS_A_CALL = 2000
TURNS = 9
GROWTH_STEPS = 40
LOADING = 25  # per cent
WINDOWS = 5  # per cent; `overhead` measures the share of a train step, which is what counts


def figures(budget: Budget) -> Iterator[Figure]:
    """Loading, windows of both orders, and the speed of training on a small and on a large corpus."""
    megabytes = 100 if budget == "short" else 300
    yield loading(megabytes)
    ids = random_ids(megabytes)
    text, tokens = Text(ids), len(ids)
    for batch in (32, 128):
        yield windows(text, ids, Lanes(tokens=tokens, length=LENGTH, batch=batch, seed=1), batch)
        yield windows(text, ids, ShuffledWindows(tokens=tokens, length=LENGTH, step=1, batch=batch, seed=1), batch)
    del text, ids
    yield growth(100 if budget == "short" else 1000, pairs=6 if budget == "short" else 12)


def random_ids(megabytes: int) -> NDArray[np.unsignedinteger]:
    """Ids of the vocabulary, uint8 [millions of tokens]."""
    return np.random.default_rng(1).integers(0, len(VOCABULARY), megabytes * 1_000_000, np.uint8)


def loading(megabytes: int) -> Figure:
    """A split from TFRecords into memory, checksums and ids checked."""
    ids = random_ids(megabytes)
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        with SplitWriter(directory, "train", tokens=len(ids), shards=4, dtype=ids.dtype) as writer:
            writer.add(ids)
        counts = {"train_tokens": len(ids)}
        manifest = write_manifest(directory, kind="dataset", stage="bench", config={}, counts=counts, made_from={})
        files = sorted(directory.glob("*.tfrecord"))
        seconds, plain = paired(
            lambda: read_split(directory, "train", manifest, VOCABULARY),
            lambda: [google_crc32c.value(file.read_bytes()) for file in files],
            TURNS,
        )
    return Figure(
        what="loading a split",
        measured=100 * plain / seconds,
        unit="% of plain reading's speed",
        target=LOADING,
        conditions=f"{megabytes / seconds:,.0f} Mchar/s, checksums and ids checked; {megabytes} MB in 4 shards; "
        f"files and CRC-32C alone {megabytes / plain:,.0f} Mchar/s; medians of {TURNS} turns",
    )


def windows(text: Text, ids: NDArray[np.unsignedinteger], order: Order, batch: int) -> Figure:
    """Windows as the trainer cuts them, many train steps a call; two of their tokens are read, so that they are cut."""

    def cut(first: Any) -> Any:
        total = tf.constant(0)
        for train_step in tf.range(first, first + STEPS_A_CALL):
            window = text.windows(order.starts(train_step), LENGTH + 1)
            total += window[0, 0] + window[-1, -1]
        return total

    first, call = tf.constant(0, tf.int64), tf.function(cut)
    starts = tf.function(lambda: tf.map_fn(order.starts, tf.range(STEPS_A_CALL, dtype=tf.int64)))().numpy()
    views = np.lib.stride_tricks.sliding_window_view(ids, LENGTH + 1)
    call(first)
    seconds, plain = paired(
        lambda: call(first).numpy(), lambda: [views[places].astype(np.int32) for places in starts], TURNS
    )
    return Figure(
        what=f"windows, {'lanes' if isinstance(order, Lanes) else 'shuffled'}, batch {batch}",
        measured=100 * plain / seconds,
        unit="% of NumPy's speed",
        target=WINDOWS,
        conditions=f"{STEPS_A_CALL * batch * LENGTH / seconds / 1e6:.0f} Mchar/s with the order computed; "
        f"length {LENGTH}, {len(ids) / 1e6:.0f} MB, {STEPS_A_CALL:,} steps a call; medians of {TURNS} turns",
    )


def growth(megabytes: int, pairs: int) -> Figure:
    """Training's speed on a large corpus by that on 1 MB; windows come from all over the text, the harder order."""
    trainers = trainer_over(1), trainer_over(megabytes)
    ways = [partial(trainer.advance, 1, GROWTH_STEPS) for trainer in trainers]
    for way in ways:
        way()
    small, large = paired(ways[0], ways[1], pairs)
    return Figure(
        what="speed of training as the corpus grows",
        measured=small / large,
        unit="x",
        target=0.9,
        conditions=f"{megabytes} MB by 1 MB, LSTM-64, batch 32, {pairs} x {GROWTH_STEPS} steps in turns",
    )


def trainer_over(megabytes: int) -> Trainer:
    """A small network's trainer over random ids."""
    dataset = Dataset(
        train=random_ids(megabytes),
        validation=np.empty(0, np.uint8),
        vocabulary=VOCABULARY,
        manifest=Manifest(
            schema_version=1,
            kind="dataset",
            producer=Producer(stage="bench", version=""),
            config={"length": LENGTH, "step": 1},
            counts={},
            files={},
            made_from={},
        ),
        digest="",
    )
    return Trainer(TrainConfig(units=64, batch=32, carry_state=False), dataset)
