"""Each stage alone, as a pipeline of its own, fed with another run's artifact by its URI."""

from typing import Any

from kfp import dsl

from components.artifacts.version import VERSION
from components.ingest.component import ingest as ingest_stage
from components.sample.component import sample as sample_stage
from components.train.component import train as train_stage
from components.vectorize.component import vectorize as vectorize_stage


@dsl.pipeline(name="ingest", description="Reads a text source and writes it, cleaned, as a corpus.")
def ingest(source: str, settings: dict[str, Any], source_digest: str = "", version: str = VERSION) -> dsl.Dataset:
    """Ingest alone."""
    task = ingest_stage(source=source, settings=settings, source_digest=source_digest, version=version)
    return task.outputs["corpus"]


@dsl.pipeline(name="vectorize", description="Writes a corpus as token ids in TFRecords.")
def vectorize(corpus_uri: str, settings: dict[str, Any], version: str = VERSION) -> dsl.Dataset:
    """Vectorize alone."""
    corpus = dsl.importer(artifact_uri=corpus_uri, artifact_class=dsl.Dataset, reimport=False)
    task = vectorize_stage(corpus=corpus.output, settings=settings, version=version)
    return task.outputs["dataset"]


@dsl.pipeline(name="train", description="Fits a network to a dataset.")
def train(dataset_uri: str, settings: dict[str, Any], version: str = VERSION) -> dsl.Model:
    """Train alone."""
    dataset = dsl.importer(artifact_uri=dataset_uri, artifact_class=dsl.Dataset, reimport=False)
    task = train_stage(dataset=dataset.output, settings=settings, version=version)
    return task.outputs["model"]


@dsl.pipeline(name="sample", description="Writes new text in bulk with a model.")
def sample(model_uri: str, settings: dict[str, Any], prompts_digest: str = "", version: str = VERSION) -> dsl.Dataset:
    """Sample alone."""
    model = dsl.importer(artifact_uri=model_uri, artifact_class=dsl.Model, reimport=False)
    task = sample_stage(model=model.output, settings=settings, prompts_digest=prompts_digest, version=version)
    return task.outputs["samples"]
