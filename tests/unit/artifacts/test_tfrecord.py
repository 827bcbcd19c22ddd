"""The suite's TFRecords are TensorFlow's, to the byte, and it reads what TensorFlow writes."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.artifacts.errors import ArtifactError
from components.artifacts.tensorflow import tf
from components.artifacts.tfrecord import read_blocks, write_block

# Lengths around those at which one more byte is needed to write them, in any of the nested messages.
SIZES = st.integers(0, 300) | st.integers(16_300, 16_400) | st.integers(65_530, 65_540) | st.just(1 << 21)


def written_by_tensorflow(path: Path, blocks: list[bytes]) -> bytes:
    with tf.io.TFRecordWriter(str(path)) as writer:
        for block in blocks:
            feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[block]))
            example = tf.train.Example(features=tf.train.Features(feature={"ids": feature}))
            writer.write(example.SerializeToString())
    return path.read_bytes()


@given(sizes=st.lists(SIZES, max_size=4), seed=st.binary(min_size=1, max_size=8))
def test_files_are_tensorflows_and_read_as_such(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], seed: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "blocks.tfrecord"
    blocks = [(seed * (size // len(seed) + 1))[:size] for size in sizes]
    written = io.BytesIO()
    for block in blocks:
        write_block(written, block)
    assert written.getvalue() == written_by_tensorflow(path, blocks)
    assert list(map(bytes, read_blocks(path))) == blocks


def test_a_length_beyond_the_file_is_refused_though_its_checksum_holds(tmp_path: Path) -> None:
    path = tmp_path / "large.tfrecord"
    written_by_tensorflow(path, [bytes(1 << 20)])
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ArtifactError, match=r"large\.tfrecord: truncated or damaged; vectorize the corpus again"):
        list(read_blocks(path))
