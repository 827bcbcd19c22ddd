"""The texts that judging reads: a dataset's held-out split, a text to score, and samples."""

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.artifacts import storage
from components.artifacts.dataset import Dataset
from components.artifacts.errors import ArtifactError, SourceError
from components.artifacts.manifest import read_manifest
from components.artifacts.plaintext import decoded
from components.artifacts.scratch import scratch_directory
from components.artifacts.vocabulary import Vocabulary
from components.command import log

MAXIMUM_TEXT_BYTES = 1 << 30
MAXIMUM_SAMPLE_CHARACTERS = 5_000_000
PIECES, PIECE_CHARACTERS = 50, 64


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The text a model is scored on: what it is in words, its ids [tokens], and its characters."""

    name: str
    ids: NDArray[np.integer]
    text: str

    def as_dict(self) -> dict[str, Any]:
        """What it is and how long."""
        return {"name": self.name, "tokens": len(self.ids), "characters": len(self.text)}


def text_of(ids: NDArray[np.integer], vocabulary: Vocabulary) -> str:
    """The text of ids [tokens]."""
    if vocabulary.kind == "words":
        return vocabulary.decode(ids)
    points = np.array([ord(token) for token in vocabulary.tokens], "<u4")
    return str(points[ids].tobytes(), "utf-32-le")


def share_seen(text: str, training: str) -> float:
    """The share of pieces of PIECE_CHARACTERS, taken evenly from a text, that stand in the training text."""
    last = max(len(text) - PIECE_CHARACTERS, 0)
    begins = np.unique(np.linspace(0, last, PIECES).astype(int)).tolist()
    return sum(text[begin : begin + PIECE_CHARACTERS] in training for begin in begins) / len(begins)


def held_out(dataset: Dataset, uri: str) -> Judged:
    """The held-out split of the dataset at `uri`."""
    text = text_of(dataset.validation, dataset.vocabulary)
    return Judged(name=f"the held-out split of {uri}", ids=dataset.validation, text=text)


def text_at(uri: str, vocabulary: Vocabulary) -> Judged:
    """The UTF-8 text file at `uri`, in a corpus's form; tokens that are not in the vocabulary are left out.

    Raises:
        SourceError: it can't be had, is not UTF-8, or nothing of it is in the vocabulary.
    """
    name = storage.redacted(uri)
    with (
        scratch_directory() as scratch,
        storage.source_file(uri, scratch, maximum_bytes=MAXIMUM_TEXT_BYTES) as path,
    ):
        text = decoded(path.read_bytes(), name)
    text = unicodedata.normalize("NFC", text.lower() if vocabulary.lowercase else text)
    ids = vocabulary.encode(text)
    known = ids[ids >= 0]
    if not len(known):
        raise SourceError(f"{name}: nothing in it that the model's vocabulary has")
    if len(known) < len(ids):
        log.warning(f"{len(ids) - len(known):,} of {name}'s {len(ids):,} tokens are not in the vocabulary; left out")
    return Judged(name=name, ids=known, text=text_of(known, vocabulary))


def samples_at(uri: str) -> tuple[list[dict[str, Any]], Mapping[str, str]]:
    """The samples at `uri`: their rows, no more than MAXIMUM_SAMPLE_CHARACTERS, and what they were made from.

    Raises:
        ArtifactError: they are missing or damaged, or there are none.
    """
    rows: list[dict[str, Any]] = []
    characters = 0
    with storage.incoming(uri, "samples", log.transferred) as directory:
        made_from = read_manifest(directory).made_from
        for path in sorted(directory.glob("samples-*.jsonl")):
            with path.open(encoding="utf-8") as file:
                for line in file:
                    if characters >= MAXIMUM_SAMPLE_CHARACTERS:
                        log.warning(f"{uri}: only the first {len(rows):,} texts are judged")
                        return rows, made_from
                    rows.append(json.loads(line))
                    characters += len(rows[-1]["text"])
    if not rows:
        raise ArtifactError(f"{uri}: no text in these samples")
    return rows, made_from
