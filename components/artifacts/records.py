"""Token ids as TFRecord: the dataset's files, and the windows cut from them.

A split is a run of blocks, kept in order over its shards. A record is a tf.train.Example with one bytes
feature `ids`: a block of token ids, little-endian, in the narrowest unsigned type that holds the
vocabulary. Windows are views over the joined blocks: nothing is stored twice.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from components.artifacts.errors import ArtifactError
from components.artifacts.manifest import Manifest
from components.artifacts.tfrecord import read_blocks, write_block
from components.artifacts.vocabulary import Vocabulary

BLOCK_TOKENS = 1 << 16
SPLITS = ("train", "validation")


def window_count(tokens: int, length: int, step: int) -> int:
    """How many windows of `length` tokens, each with a target after it, start every `step` tokens."""
    return max(0, -(-(tokens - length) // step))


def cut_windows(
    ids: NDArray[np.unsignedinteger], length: int, step: int
) -> tuple[NDArray[np.unsignedinteger], NDArray[np.unsignedinteger]]:
    """Views of all windows, [windows, length], and of the token after each, [windows]."""
    if len(ids) <= length:
        return np.empty((0, length), ids.dtype), np.empty(0, ids.dtype)
    return np.lib.stride_tricks.sliding_window_view(ids[:-1], length)[::step], ids[length::step]


class SplitWriter:
    """Writes one split, whose number of tokens is known in advance, as shards of nearly equal size."""

    def __init__(self, directory: Path, split: str, *, tokens: int, shards: int, dtype: np.dtype) -> None:
        self._blocks = -(-tokens // BLOCK_TOKENS)
        self._shards = min(shards, self._blocks)
        self._names = [directory / _shard_name(split, shard, self._shards) for shard in range(self._shards)]
        self._rest = np.empty(0, dtype)
        self._written_blocks = 0
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if len(self._rest):
            self._write(self._rest)
        if self._file is not None:
            self._file.close()

    def add(self, ids: NDArray[np.integer]) -> None:
        """Append ids, of any integer type, [tokens]."""
        joined = np.concatenate([self._rest, ids], dtype=self._rest.dtype, casting="unsafe")
        whole = len(joined) - len(joined) % BLOCK_TOKENS
        for start in range(0, whole, BLOCK_TOKENS):
            self._write(joined[start : start + BLOCK_TOKENS])
        self._rest = joined[whole:].copy()

    def _write(self, block: NDArray[np.unsignedinteger]) -> None:
        path = self._names[self._written_blocks * self._shards // self._blocks]
        if self._file is None or self._file.name != str(path):
            if self._file is not None:
                self._file.close()
            self._file = path.open("wb")
        write_block(self._file, block.tobytes())
        self._written_blocks += 1


def read_split(directory: Path, split: str, manifest: Manifest, vocabulary: Vocabulary) -> NDArray[np.unsignedinteger]:
    """All ids of a split in order, [tokens], in the vocabulary's narrowest dtype.

    Raises:
        ArtifactError: a record is damaged, or there are more or fewer tokens than the manifest says.
    """
    names = sorted(name for name in manifest.files if name.startswith(f"{split}-"))
    tokens = manifest.counts[f"{split}_tokens"]
    held = sum(path.stat().st_size for name in names if (path := directory / name).exists())
    # Never more memory than the files' size, whatever the manifest says.
    ids = np.empty(max(0, min(tokens, held // vocabulary.id_dtype.itemsize)), vocabulary.id_dtype)
    filled = 0
    for name in names:
        for block in _blocks(directory / name, vocabulary):
            if filled + len(block) > len(ids):
                filled += len(block)
                break
            ids[filled : filled + len(block)] = block
            filled += len(block)
    if filled != tokens:
        raise ArtifactError(
            f"{directory}: the {split} shards hold {filled:,} tokens, the manifest says {tokens:,}; "
            "vectorize the corpus again"
        )
    return ids


def _blocks(path: Path, vocabulary: Vocabulary) -> Iterator[NDArray[np.unsignedinteger]]:
    for data in read_blocks(path):
        if len(data) % vocabulary.id_dtype.itemsize:
            raise ArtifactError(f"{path}: not a record of a dataset; vectorize the corpus again")
        block = np.frombuffer(data, vocabulary.id_dtype)
        if len(block) and int(block.max()) >= len(vocabulary):
            raise ArtifactError(f"{path}: an id is outside the vocabulary; vectorize the corpus again")
        yield block


def _shard_name(split: str, shard: int, shards: int) -> str:
    return f"{split}-{shard:05d}-of-{shards:05d}.tfrecord"
