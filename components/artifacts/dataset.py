"""A dataset in memory."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.artifacts import utf8
from components.artifacts.as_json import as_json
from components.artifacts.manifest import Manifest, digest, read_manifest
from components.artifacts.part import Part, is_part, part_of
from components.artifacts.records import read_split
from components.artifacts.vocabulary import Vocabulary


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A dataset: ids of both splits [tokens], and how windows are cut from them."""

    train: NDArray[np.unsignedinteger]
    validation: NDArray[np.unsignedinteger]
    vocabulary: Vocabulary
    manifest: Manifest
    digest: str

    @classmethod
    def read(cls, directory: Path) -> "Dataset":
        """Read the dataset in `directory`; its manifest must be verified."""
        manifest = read_manifest(directory, "dataset")
        vocabulary = Vocabulary.read(directory)
        return cls(
            train=read_split(directory, "train", manifest, vocabulary),
            validation=read_split(directory, "validation", manifest, vocabulary),
            vocabulary=vocabulary,
            manifest=manifest,
            digest=digest(directory),
        )

    @property
    def length(self) -> int:
        """Window length in tokens."""
        return int(self.manifest.config["length"])

    @property
    def step(self) -> int:
        """Distance between windows in tokens."""
        return int(self.manifest.config["step"])

    def held_out(self, most: int) -> Part:
        """The held-out text, or at most `most` tokens of it, evenly spread; 0 is all."""
        return part_of(self.validation, most, window=self.length)

    def held_out_name(self, most: int) -> str:
        """The name of what `held_out` returns: SHA-256 over the digests of its files and of the vocabulary's."""
        files = sorted(self.manifest.files.items())
        named: list[object] = [
            (name, entry.sha256) for name, entry in files if name.startswith(("validation-", "vocabulary."))
        ]
        if is_part(len(self.validation), most):
            named.append({"most": most, "window": self.length})
        return hashlib.sha256(as_json(named).encode()).hexdigest()

    def held_out_text(self, most: int) -> str:
        """SHA-256 of the text that counts of what `held_out` returns, whatever its tokens are."""
        part = self.held_out(most)
        return hashlib.sha256(text_of(part.ids[part.counts], self.vocabulary).encode()).hexdigest()


def text_of(ids: NDArray[np.integer], vocabulary: Vocabulary, end: str = "\n") -> str:
    """The text of ids [tokens], with `end`, one character, for a document's end; by default as in text.txt."""
    if vocabulary.kind in {"words", "bpe"}:
        return vocabulary.decode(ids, end)
    points = np.array([ord(token or end) for token in vocabulary.tokens], "<u4")
    text = str(points[ids].tobytes(), "utf-32-le")
    return utf8.as_text(text) if vocabulary.kind == "bytes" else text
