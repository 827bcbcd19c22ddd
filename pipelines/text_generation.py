"""The whole pipeline, one definition for a laptop, Docker and a cluster: text in, generator and new text out."""

from typing import Any, NamedTuple

from kfp import dsl

from components.artifacts.version import VERSION
from components.ingest.component import ingest as ingest_stage
from components.report.component import report as report_stage
from components.sample.component import sample as sample_stage
from components.train.component import train as train_stage
from components.vectorize.component import vectorize as vectorize_stage


class Artifacts(NamedTuple):
    """What a run makes."""

    corpus: dsl.Dataset
    dataset: dsl.Dataset
    checkpoints: dsl.Artifact
    model: dsl.Model
    samples: dsl.Dataset
    report: dsl.Artifact


@dsl.pipeline(name="text-generation", description="Trains a text generator on a text and writes new text with it.")
def text_generation(
    source: str,
    ingest: dict[str, Any],
    vectorize: dict[str, Any],
    train: dict[str, Any],
    sample: dict[str, Any],
    source_digest: str = "",
    prompts_digest: str = "",
    version: str = VERSION,
) -> Artifacts:
    """Ingest, vectorize, train, sample, and a report on all of them.

    Args:
        source: URI of the text, or builtin:python-docs.
        ingest: IngestConfig's fields.
        vectorize: VectorizeConfig's fields.
        train: TrainConfig's fields.
        sample: SampleConfig's fields.
        source_digest: names the source's bytes, for the cache.
        prompts_digest: names the prompts file's bytes, for the cache.
        version: the suite's version, for the cache.
    """
    ingested = ingest_stage(source=source, settings=ingest, source_digest=source_digest, version=version)
    vectorized = vectorize_stage(corpus=ingested.outputs["corpus"], settings=vectorize, version=version)
    trained = train_stage(dataset=vectorized.outputs["dataset"], settings=train, version=version)
    sampled = sample_stage(
        model=trained.outputs["model"], settings=sample, prompts_digest=prompts_digest, version=version
    )
    reported = report_stage(
        corpus=ingested.outputs["corpus"],
        dataset=vectorized.outputs["dataset"],
        model=trained.outputs["model"],
        samples=sampled.outputs["samples"],
        version=version,
    )
    return Artifacts(
        corpus=ingested.outputs["corpus"],
        dataset=vectorized.outputs["dataset"],
        checkpoints=trained.outputs["checkpoints"],
        model=trained.outputs["model"],
        samples=sampled.outputs["samples"],
        report=reported.outputs["report"],
    )
