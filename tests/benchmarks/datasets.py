"""Datasets and models for benchmarks, made by the stages themselves with a recipe's settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.artifacts.manifest import read_manifest
from components.ingest.config import IngestConfig
from components.ingest.ingesting import ingest
from components.train.config import TrainConfig
from components.vectorize.config import VectorizeConfig
from components.vectorize.vectorizing import vectorize
from pipelines.inputs.settings import recipe, settings_of


def dataset_by(
    name: str, scratch: Path, *, source: str = "builtin:python-docs", assignments: Sequence[str] = ()
) -> tuple[TrainConfig, Path]:
    """The recipe's settings for training, and the dataset that it makes of the source, in `scratch`."""
    settings = settings_of(recipe(name), assignments)
    ingesting, vectorizing, training = (settings[stage] for stage in ("ingest", "vectorize", "train"))
    assert isinstance(ingesting, IngestConfig)
    assert isinstance(vectorizing, VectorizeConfig)
    assert isinstance(training, TrainConfig)
    corpus, dataset = scratch / "corpus", scratch / "dataset"
    ingest(ingesting, source=source, corpus=str(corpus))
    vectorize(vectorizing, corpus=str(corpus), dataset=str(dataset))
    return training, dataset


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A model that was trained: its place, its metrics, and the counts of the dataset that it learned."""

    model: Path
    metrics: Mapping[str, Any]
    counts: Mapping[str, int]

    @property
    def bits(self) -> float:
        """Bits per character of the held-out text."""
        return float(self.metrics["validation_bits_per_char"])


def trained_by(name: str, scratch: Path, *, source: str, assignments: Sequence[str]) -> Trained:
    """The model that a recipe makes of a source in `scratch`, a new folder."""
    from components.train.training import train

    scratch.mkdir()
    config, dataset = dataset_by(name, scratch, source=source, assignments=assignments)
    model = scratch / "model"
    done = train(config, dataset=str(dataset), checkpoints=str(scratch / "checkpoints"), model=str(model))
    return Trained(model=model, metrics=done["metrics"], counts=read_manifest(dataset).counts)
