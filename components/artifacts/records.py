"""Token ids as TFRecord: the dataset's files, and the windows cut from them.

A split is a run of blocks, kept in order over its shards. A record is a tf.train.Example with one bytes
feature `ids`: a block of token ids, little-endian, in the narrowest unsigned type that holds the
vocabulary. Windows are views over the joined blocks: nothing is stored twice.
"""

from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from components.artifacts.errors import ArtifactError
from components.artifacts.manifest import Manifest
from components.artifacts.tensorflow import tf
from components.artifacts.vocabulary import Vocabulary

BLOCK_TOKENS = 1 << 16
SPLITS = ("train", "validation")


def window_count(tokens: int, length: int, step: int) -> int:
    """How many windows of `length` tokens, each with one target after it, start every `step` tokens."""
    return max(0, -(-(tokens - length) // step))


def cut_windows(
    ids: NDArray[np.unsignedinteger], length: int, step: int
) -> tuple[NDArray[np.unsignedinteger], NDArray[np.unsignedinteger]]:
    """Views of all windows, [windows, length], and of the token after each, [windows]."""
    if len(ids) <= length:
        return np.empty((0, length), ids.dtype), np.empty(0, ids.dtype)
    return np.lib.stride_tricks.sliding_window_view(ids[:-1], length)[::step], ids[length::step]


class SplitWriter:
    """Writes one split, whose number of tokens is known beforehand, as shards of near-equal size."""

    def __init__(self, directory: Path, split: str, *, tokens: int, shards: int, dtype: np.dtype) -> None:
        self._blocks = -(-tokens // BLOCK_TOKENS)
        self._dtype = dtype
        self._shards = min(shards, self._blocks)
        self._names = [directory / _shard_name(split, shard, self._shards) for shard in range(self._shards)]
        self._pending: list[NDArray[np.int64]] = []
        self._pending_tokens = 0
        self._written_blocks = 0
        self._shard = -1
        self._writer: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pending_tokens:
            self._write(np.concatenate(self._pending))
        if self._writer is not None:
            self._writer.close()

    def add(self, ids: NDArray[np.int64]) -> None:
        """Append ids, int [tokens]."""
        self._pending.append(ids)
        self._pending_tokens += len(ids)
        if self._pending_tokens < BLOCK_TOKENS:
            return
        joined = np.concatenate(self._pending)
        whole = len(joined) - len(joined) % BLOCK_TOKENS
        for start in range(0, whole, BLOCK_TOKENS):
            self._write(joined[start : start + BLOCK_TOKENS])
        self._pending = [joined[whole:]]
        self._pending_tokens = len(joined) - whole

    def _write(self, block: NDArray[np.int64]) -> None:
        shard = self._written_blocks * self._shards // self._blocks
        if shard != self._shard:
            if self._writer is not None:
                self._writer.close()
            self._writer = tf.io.TFRecordWriter(str(self._names[shard]))
            self._shard = shard
        feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[block.astype(self._dtype).tobytes()]))
        example = tf.train.Example(features=tf.train.Features(feature={"ids": feature}))
        self._writer.write(example.SerializeToString())
        self._written_blocks += 1


def read_split(directory: Path, split: str, manifest: Manifest, vocabulary: Vocabulary) -> NDArray[np.unsignedinteger]:
    """All ids of a split in order, [tokens], in the vocabulary's narrowest dtype.

    Raises:
        ArtifactError: a record is damaged, or there are more or fewer tokens than the manifest says.
    """
    names = sorted(name for name in manifest.files if name.startswith(f"{split}-"))
    ids = np.empty(manifest.counts[f"{split}_tokens"], vocabulary.id_dtype)
    filled = 0
    for name in names:
        for block in _blocks(directory / name, vocabulary):
            if filled + len(block) > len(ids):
                filled += len(block)
                break
            ids[filled : filled + len(block)] = block
            filled += len(block)
    if filled != len(ids):
        raise ArtifactError(
            f"{directory}: the {split} shards hold {filled:,} tokens, the manifest says {len(ids):,}; "
            "make the dataset again"
        )
    return ids


def _blocks(path: Path, vocabulary: Vocabulary) -> list[NDArray[np.unsignedinteger]]:
    try:
        records = tf.data.TFRecordDataset(str(path))
        schema = {"ids": tf.io.FixedLenFeature([], tf.string)}
        examples = [tf.io.parse_single_example(record, schema) for record in records]
        blocks = [np.frombuffer(example["ids"].numpy(), vocabulary.id_dtype) for example in examples]
    except (tf.errors.OpError, ValueError) as error:
        is_foreign = isinstance(error, tf.errors.InvalidArgumentError | ValueError)
        reason = "not the suite's record" if is_foreign else "truncated or damaged"
        raise ArtifactError(f"{path}: {reason}; make the dataset again") from None
    for block in blocks:
        if len(block) and int(block.max()) >= len(vocabulary):
            raise ArtifactError(f"{path}: an id lies outside the vocabulary; make the dataset again")
    return blocks


def _shard_name(split: str, shard: int, shards: int) -> str:
    return f"{split}-{shard:05d}-of-{shards:05d}.tfrecord"
