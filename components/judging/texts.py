"""The texts that judging reads: a dataset's held-out split, a text to score, and samples."""

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.artifacts import storage
from components.artifacts.dataset import Dataset, text_of
from components.artifacts.errors import ArtifactError, SourceError
from components.artifacts.manifest import read_manifest
from components.artifacts.part import Part, is_part, part_of
from components.artifacts.plaintext import decoded
from components.artifacts.scratch import scratch_directory
from components.artifacts.typed import WrittenText
from components.artifacts.vocabulary import Vocabulary
from components.command import log

MAXIMUM_TEXT_BYTES = 1 << 30
MAXIMUM_TRAINING_CHARACTERS = 500_000_000
"""How long a training text may be that copies are looked for in: a character takes up to 16 bytes there."""
MAXIMUM_SAMPLE_CHARACTERS = 5_000_000
PIECES, PIECE_CHARACTERS = 50, 64


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The text a model is scored on.

    Attributes:
        name: a description.
        ids: its tokens [tokens]; `counts`: which of them count, bool [tokens].
        text: its characters; `characters_count`: which of them count, bool [characters].
    """

    name: str
    ids: NDArray[np.integer]
    counts: NDArray[np.bool_]
    text: str
    characters_count: NDArray[np.bool_]

    @property
    def tokens_a_character(self) -> float:
        """Tokens per character, of what counts."""
        return float(self.counts.sum() / self.characters_count.sum())

    def as_dict(self) -> dict[str, Any]:
        """Its name and length."""
        tokens, characters = int(self.counts.sum()), int(self.characters_count.sum())
        return {"name": self.name, "tokens": tokens, "characters": characters}


def training_text(data: Dataset, uri: str) -> str:
    """The training split of the dataset at `uri` as text.

    Raises:
        ArtifactError: it is longer than copies are looked for in.
    """
    lengths = data.vocabulary.lengths
    characters = int(np.bincount(data.train, minlength=len(lengths)) @ lengths)
    if characters > MAXIMUM_TRAINING_CHARACTERS:
        raise ArtifactError(
            f"{uri}: its training text has {characters:,} characters, and copies are looked for in "
            f"{MAXIMUM_TRAINING_CHARACTERS:,} at most, for memory; leave out --samples and --text"
        )
    return text_of(data.train, data.vocabulary)


def share_seen(text: str, training: str) -> float:
    """The share of pieces of PIECE_CHARACTERS, taken evenly from a text, that are in the training text."""
    last = max(len(text) - PIECE_CHARACTERS, 0)
    begins = np.unique(np.linspace(0, last, PIECES).astype(int)).tolist()
    return sum(text[begin : begin + PIECE_CHARACTERS] in training for begin in begins) / len(begins)


def held_out(dataset: Dataset, uri: str, most: int = 0) -> Judged:
    """The held-out split of the dataset at `uri`, or at most `most` tokens of it, evenly spread; 0 is all."""
    part = dataset.held_out(most)
    name = f"the held-out split of {uri}"
    if is_part(len(dataset.validation), most):
        name = f"an evenly spread part of {name}"
    return _judged(name, part, dataset.vocabulary)


def text_at(uri: str, vocabulary: Vocabulary) -> Judged:
    """The UTF-8 text file at `uri`, in a corpus's form; tokens that are not in the vocabulary are left out.

    Raises:
        SourceError: it can't be fetched, is not UTF-8, or nothing of it is in the vocabulary.
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
        raise SourceError(f"{name}: nothing in it is in the model's vocabulary")
    if len(known) < len(ids):
        log.warning(f"{len(ids) - len(known):,} of {name}'s {len(ids):,} tokens are not in the vocabulary; left out")
    return _judged(name, part_of(known, 0, window=0), vocabulary)


def _judged(name: str, part: Part, vocabulary: Vocabulary) -> Judged:
    lengths = vocabulary.lengths[part.ids]
    return Judged(
        name=name,
        ids=part.ids,
        counts=part.counts,
        text=text_of(part.ids, vocabulary),
        characters_count=np.repeat(part.counts, lengths),
    )


def samples_at(uri: str) -> tuple[list[WrittenText], Mapping[str, str]]:
    """The samples at `uri`: their rows, up to MAXIMUM_SAMPLE_CHARACTERS, and what they were made from.

    Raises:
        ArtifactError: they are missing or damaged, or there are none.
    """
    rows: list[WrittenText] = []
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
        raise ArtifactError(f"{uri}: these samples contain no text")
    return rows, made_from
