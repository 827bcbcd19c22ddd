"""What is read from TFRecord is what the tutorials' loops cut from the text: nothing lost, nothing twice."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.artifacts import records
from components.artifacts.manifest import read_manifest
from components.artifacts.records import cut_windows, window_count
from components.artifacts.tensorflow import tf
from components.artifacts.vocabulary import TokenKind, Vocabulary
from components.generator.text import Text
from components.train.data import ShuffledWindows
from tests.shorter import mostly_slow
from tests.unit.artifacts.splits import read, vocabulary_of, vocabulary_size, write

CORPORA = Path(__file__).parents[4] / "shared" / "corpora"
TEXTS = st.text("ab é\n'.", max_size=80)

OLD = Vocabulary(kind="words", tokens=())
"""Cuts words as vocabularies did before Unicode's boundaries."""


def tutorial_loop(tokens: Any, length: int, step: int) -> tuple[list[Any], list[Any]]:
    """The tutorials' own sliding loop, over a string or a list of words."""
    windows, following = [], []
    for i in range(0, len(tokens) - length, step):
        windows.append(tokens[i : i + length])
        following.append(tokens[i + length])
    return windows, following


def tokens_of(text: str, kind: TokenKind) -> list[str]:
    return list(text) if kind == "characters" else OLD.cut(text)


@given(
    text=TEXTS,
    kind=st.sampled_from(["characters", "words"]),
    length=st.integers(1, 12),
    step=st.integers(1, 5),
    block=st.integers(1, 9),
    shards=st.integers(1, 4),
    data=st.data(),
)
@settings(max_examples=150, deadline=None)
def test_windows_from_tfrecord_are_the_tutorials_windows(
    tmp_path_factory: pytest.TempPathFactory,
    text: str,
    kind: TokenKind,
    length: int,
    step: int,
    block: int,
    shards: int,
    data: st.DataObject,
) -> None:
    directory = tmp_path_factory.mktemp("dataset")
    tokens = tokens_of(text, kind)
    vocabulary = vocabulary_of(tokens, kind)
    pieces = data.draw(st.lists(st.integers(0, len(tokens)), max_size=3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "BLOCK_TOKENS", block)
        write(directory, vocabulary.encode(text), vocabulary, shards=shards, pieces=tuple(pieces))
    windows, following = tutorial_loop(tokens, length, step)
    found_windows, found_targets = cut_windows(read(directory, vocabulary), length, step)
    assert [[vocabulary.tokens[index] for index in window] for window in found_windows] == windows
    assert [vocabulary.tokens[target] for target in found_targets] == following
    assert window_count(len(tokens), length, step) == len(windows)


@pytest.mark.parametrize("kind", ["characters", "words"])
@pytest.mark.parametrize(
    ("name", "length", "step"), mostly_slow([("nietzsche.txt", 60, 3), ("sonnets.txt", 100, 1), ("sonnets.txt", 40, 3)])
)
def test_a_real_corpus_gives_the_tutorials_windows(
    tmp_path: Path, name: str, length: int, step: int, kind: TokenKind
) -> None:
    if not (CORPORA / name).is_file():
        pytest.skip(f"no {CORPORA / name}")
    text = (CORPORA / name).read_text(encoding="utf-8").lower()
    tokens = tokens_of(text, kind)
    vocabulary = vocabulary_of(tokens, kind)
    write(tmp_path, vocabulary.encode(text), vocabulary, shards=3)
    windows, following = tutorial_loop(tokens, length, step)
    found_windows, found_targets = cut_windows(read(tmp_path, vocabulary), length, step)
    assert len(found_windows) == len(windows) == window_count(len(tokens), length, step)
    assert all(
        vocabulary.decode(found) == "".join(window) for found, window in zip(found_windows, windows, strict=True)
    )
    assert vocabulary.decode(found_targets) == "".join(following)


@pytest.mark.parametrize(
    ("tokens", "length", "step", "windows"),
    [
        (600_901, 60, 3, 200_281),  # nietzsche
        (94_630, 100, 1, 94_530),  # sonnets
        (1_605_965, 100, 1, 1_605_865),  # game-of-thrones
    ],
)
def test_the_tutorials_figures(tokens: int, length: int, step: int, windows: int) -> None:
    assert window_count(tokens, length, step) == windows
    cut, targets = cut_windows(np.zeros(tokens, np.uint8), length, step)
    assert cut.shape == (windows, length)
    assert targets.shape == (windows,)


@given(tokens=st.integers(0, 300), length=st.integers(1, 40), step=st.integers(1, 9))
def test_the_count_of_windows_is_the_loops(tokens: int, length: int, step: int) -> None:
    assert window_count(tokens, length, step) == len(range(0, tokens - length, step))


def test_windows_are_views_over_the_ids() -> None:
    ids = np.arange(200, dtype=np.uint8)
    windows, targets = cut_windows(ids, 60, 3)
    assert np.shares_memory(windows, ids)
    assert np.shares_memory(targets, ids)


@pytest.mark.parametrize(
    ("tokens", "length", "step", "batch", "size"),
    [(50, 7, 1, 8, 20), (100, 10, 3, 7, 300), (64, 5, 5, 59, 70_000), (12, 11, 1, 4, 12), (41, 1, 2, 20, 41)],
)
def test_training_gathers_every_window_once_an_epoch(
    tmp_path: Path, tokens: int, length: int, step: int, batch: int, size: int
) -> None:
    vocabulary = vocabulary_size(size)
    ids = np.random.default_rng(1).permutation(size)[:tokens] if size > tokens else np.arange(tokens) % size
    write(tmp_path, ids, vocabulary)
    order = ShuffledWindows(tokens=tokens, length=length, step=step, batch=batch, seed=5)
    stored = Text(read(tmp_path, vocabulary))
    gathered = tf.function(lambda train_step: stored.windows(order.starts(train_step), length + 1))
    windows, following = tutorial_loop(ids.tolist(), length, step)
    expected = Counter((*window, target) for window, target in zip(windows, following, strict=True))
    epochs = []
    for epoch in range(2):
        train_steps = range(epoch * order.steps_per_epoch, (epoch + 1) * order.steps_per_epoch)
        rows = np.concatenate([gathered(tf.constant(number, tf.int64)) for number in train_steps])
        assert Counter(map(tuple, rows.tolist())) == expected
        epochs.append(rows.tolist())
    assert len(windows) < 5 or epochs[0] != epochs[1]


@pytest.mark.parametrize(("size", "dtype"), [(2, "u1"), (256, "u1"), (257, "<u2"), (65_537, "<u4")])
def test_a_record_is_an_example_with_one_block_of_ids(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, dtype: str
) -> None:
    monkeypatch.setattr(records, "BLOCK_TOKENS", 4)
    vocabulary = vocabulary_size(size)
    ids = np.array([0, 1, size - 1, 0, 1, 1])
    write(tmp_path, ids, vocabulary)
    raw = [record.numpy() for record in tf.data.TFRecordDataset(str(tmp_path / "train-00000-of-00001.tfrecord"))]
    features = [tf.train.Example.FromString(record).features.feature for record in raw]
    assert [set(feature) for feature in features] == [{"ids"}, {"ids"}]
    assert [list(feature["ids"].bytes_list.value) for feature in features] == [
        [ids[:4].astype(dtype).tobytes()],
        [ids[4:].astype(dtype).tobytes()],
    ]
    found = read(tmp_path, vocabulary)
    assert found.dtype == np.dtype(dtype)
    assert found.tolist() == ids.tolist()


def test_blocks_are_spread_evenly_over_the_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "BLOCK_TOKENS", 10)
    write(tmp_path, np.zeros(95, np.int64), vocabulary_size(1), shards=4)
    names = [f"train-{shard:05d}-of-00004.tfrecord" for shard in range(4)]
    assert list(read_manifest(tmp_path).files) == [*names, "vocabulary.json"]
    counts = [sum(1 for _ in tf.data.TFRecordDataset(str(tmp_path / name))) for name in names]
    assert sum(counts) == 10
    assert max(counts) - min(counts) <= 1


def test_there_are_no_more_shards_than_blocks(tmp_path: Path) -> None:
    write(tmp_path, np.zeros(95, np.int64), vocabulary_size(1), shards=4)
    assert list(read_manifest(tmp_path).files) == ["train-00000-of-00001.tfrecord", "vocabulary.json"]


def test_an_empty_split_has_no_files(tmp_path: Path) -> None:
    write(tmp_path, np.zeros(0, np.int64), vocabulary_size(1), shards=4)
    assert list(read_manifest(tmp_path).files) == ["vocabulary.json"]
    assert read(tmp_path, vocabulary_size(1)).shape == (0,)
