"""The splits of a dataset, written and read."""

from pathlib import Path

import numpy as np

from components.artifacts.manifest import read_manifest, write_manifest
from components.artifacts.records import SplitWriter, read_split
from components.artifacts.vocabulary import TokenKind, Vocabulary


def vocabulary_of(tokens: list[str], kind: TokenKind = "characters") -> Vocabulary:
    return Vocabulary(kind=kind, tokens=tuple(sorted(set(tokens))))


def vocabulary_size(size: int) -> Vocabulary:
    return Vocabulary(kind="characters", tokens=tuple(map(chr, range(size))))


def write(
    directory: Path, ids: np.ndarray, vocabulary: Vocabulary, *, shards: int = 1, pieces: tuple[int, ...] = ()
) -> None:
    """A dataset artifact whose training split holds `ids`, given to the writer in pieces cut at `pieces`."""
    directory.mkdir(exist_ok=True)
    with SplitWriter(directory, "train", tokens=len(ids), shards=shards, dtype=vocabulary.id_dtype) as writer:
        for piece in np.split(ids, sorted(pieces)):
            writer.add(piece)
    list_files(directory, len(ids))


def list_files(directory: Path, tokens: int) -> None:
    (directory / "vocabulary.json").touch()
    write_manifest(
        directory, kind="dataset", stage="vectorize", config={}, counts={"train_tokens": tokens}, made_from={}
    )


def read(directory: Path, vocabulary: Vocabulary) -> np.ndarray:
    return read_split(directory, "train", read_manifest(directory), vocabulary)
