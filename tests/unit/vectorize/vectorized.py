"""Makes a dataset of a corpus."""

from pathlib import Path
from typing import Any

from components.artifacts.manifest import Manifest, verify
from components.artifacts.vocabulary import Vocabulary
from components.vectorize.config import VectorizeConfig
from components.vectorize.vectorizing import vectorize


def made(corpus: Path, **config: Any) -> tuple[Path, Manifest, Vocabulary]:
    """The dataset's place, manifest and vocabulary."""
    dataset = corpus.parent / "dataset"
    vectorize(VectorizeConfig(**config), corpus=str(corpus), dataset=str(dataset))
    return dataset, verify(dataset, "dataset"), Vocabulary.read(dataset)
