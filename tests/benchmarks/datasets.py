"""Datasets for benchmarks, made by the stages themselves with a recipe's settings."""

from collections.abc import Sequence
from pathlib import Path

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
