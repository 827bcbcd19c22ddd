"""A damaged TFRecord is refused and named: bits, records, shards and ids."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.artifacts import records, storage
from components.artifacts.errors import ArtifactError
from components.artifacts.tensorflow import tf
from tests.unit.artifacts.splits import list_files, read, vocabulary_size, write


@pytest.fixture
def two_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of a shard with two records of four ids each."""
    monkeypatch.setattr(records, "BLOCK_TOKENS", 4)
    write(tmp_path / "dataset", np.arange(8), vocabulary_size(9))
    return tmp_path / "dataset" / "train-00000-of-00001.tfrecord"


def refused(path: Path) -> str:
    """The error of reading the split a damaged shard belongs to, where nobody checked the manifest."""
    with pytest.raises(ArtifactError) as raised:
        read(path.parent, vocabulary_size(9))
    return str(raised.value)


def refused_by_manifest(path: Path) -> str:
    with pytest.raises(ArtifactError) as raised, storage.incoming(str(path.parent), "dataset"):
        pass
    return str(raised.value)


def example(**features: Any) -> bytes:
    written: bytes = tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()
    return written


def test_any_flipped_bit_is_refused(two_records: Path) -> None:
    whole = two_records.read_bytes()
    for place in range(len(whole)):
        two_records.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :])
        assert refused(two_records) == f"{two_records}: truncated or damaged; vectorize the corpus again"
        assert refused_by_manifest(two_records).startswith(f"{two_records}: its SHA-256 is not the manifest's")


def test_truncation_within_a_record_is_refused(two_records: Path) -> None:
    whole = two_records.read_bytes()
    for size in range(1, len(whole)):
        if size != len(whole) // 2:
            two_records.write_bytes(whole[:size])
            assert refused(two_records) == f"{two_records}: truncated or damaged; vectorize the corpus again"
            assert "truncated or altered" in refused_by_manifest(two_records)


@pytest.mark.parametrize("records_left", [0, 1])
def test_truncation_between_records_is_refused(two_records: Path, records_left: int) -> None:
    whole = two_records.read_bytes()
    two_records.write_bytes(whole[: len(whole) // 2 * records_left])
    assert refused(two_records).startswith(
        f"{two_records.parent}: the train shards hold {4 * records_left} tokens, the manifest says 8"
    )
    assert refused_by_manifest(two_records).startswith(f"{two_records}: ")


def test_more_records_than_the_manifest_counts_are_refused(two_records: Path) -> None:
    two_records.write_bytes(two_records.read_bytes() * 2)
    assert "the train shards hold 12 tokens, the manifest says 8" in refused(two_records)


@pytest.mark.parametrize("count", [10**15, -1])
def test_the_manifests_count_takes_no_memory(two_records: Path, count: int) -> None:
    list_files(two_records.parent, count)
    assert f"tokens, the manifest says {count:,}; vectorize the corpus again" in refused(two_records)


def test_a_missing_shard_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "BLOCK_TOKENS", 4)
    write(tmp_path, np.arange(8), vocabulary_size(9), shards=2)
    path = tmp_path / "train-00001-of-00002.tfrecord"
    path.unlink()
    assert refused(path) == f"{path}: missing; vectorize the corpus again"
    assert refused_by_manifest(path).startswith(f"{path}: missing, though the manifest lists it")
    list_files(tmp_path, 8)
    assert refused(path).startswith(f"{tmp_path}: the train shards hold 4 tokens, the manifest says 8")


@pytest.mark.parametrize(
    "record",
    [
        b"no Example at all",
        b"",
        example(other=tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"\0"]))),
        example(ids=tf.train.Feature(int64_list=tf.train.Int64List(value=[1, 2]))),
        example(ids=tf.train.Feature(bytes_list=tf.train.BytesList(value=[]))),
        example(ids=tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"\0\0\0"]))),
    ],
    ids=["no Example", "empty", "no ids", "integers", "no block", "half an id"],
)
def test_a_foreign_record_is_refused_by_name(tmp_path: Path, record: bytes) -> None:
    path = tmp_path / "train-00000-of-00001.tfrecord"
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(record)
    list_files(tmp_path, 2)
    with pytest.raises(ArtifactError) as raised:
        read(tmp_path, vocabulary_size(300))
    assert str(raised.value) == f"{path}: not a record of a dataset; vectorize the corpus again"


def test_ids_outside_the_vocabulary_are_refused(two_records: Path) -> None:
    assert read(two_records.parent, vocabulary_size(8)).tolist() == list(range(8))
    with pytest.raises(ArtifactError) as raised:
        read(two_records.parent, vocabulary_size(7))
    assert str(raised.value) == f"{two_records}: an id is outside the vocabulary; vectorize the corpus again"
