"""Each stage alone as a pipeline, which reads another run's artifact by its URI."""

from typing import Any

from kfp import dsl

from components.artifacts.version import VERSION
from components.ingest.component import ingest as ingest_stage
from components.train.component import train as train_stage
from components.vectorize.component import vectorize as vectorize_stage
from pipelines.build.environment import Environment
from pipelines.build.placement import equip, limits
from pipelines.build.shards import samples_of
from pipelines.inputs.settings import DEFAULT_RECIPE, recipe

DEFAULT = recipe(DEFAULT_RECIPE)


def ingest(environment: Environment) -> Any:
    """Ingest alone, for an environment."""
    default = environment.beneath(DEFAULT).stages["ingest"]

    @dsl.pipeline(
        name="ingest",
        description="Reads a text source and writes it, cleaned, as a corpus.",
        pipeline_config=limits(environment),
    )
    def pipeline(
        source: str = DEFAULT.source,
        settings: dict[str, Any] = default,
        source_digest: str = "",
        version: str = VERSION,
    ) -> dsl.Dataset:
        """Ingest, from a source."""
        task = ingest_stage(
            source=source,
            settings=settings,
            source_digest=source_digest,
            champion=environment.cluster.champion,
            version=version,
        )
        return equip(task, "ingest", environment).outputs["corpus"]

    return pipeline


def vectorize(environment: Environment) -> Any:
    """Vectorize alone, for an environment."""
    default = environment.beneath(DEFAULT).stages["vectorize"]

    @dsl.pipeline(
        name="vectorize",
        description="Writes a corpus as token ids in TFRecords.",
        pipeline_config=limits(environment),
    )
    def pipeline(
        corpus_uri: str,
        settings: dict[str, Any] = default,
        version: str = VERSION,
    ) -> dsl.Dataset:
        """Vectorize, from the corpus at a URI."""
        corpus = dsl.importer(artifact_uri=corpus_uri, artifact_class=dsl.Dataset, reimport=False)
        task = vectorize_stage(corpus=corpus.output, settings=settings, version=version)
        return equip(task, "vectorize", environment).outputs["dataset"]

    return pipeline


def train(environment: Environment) -> Any:
    """Train alone, for an environment."""
    default = environment.beneath(DEFAULT).stages["train"]

    @dsl.pipeline(name="train", description="Fits a network to a dataset.", pipeline_config=limits(environment))
    def pipeline(
        dataset_uri: str,
        settings: dict[str, Any] = default,
        init_digest: str = "",
        start_digest: str = "",
        version: str = VERSION,
    ) -> dsl.Model:
        """Train, from the dataset at a URI."""
        dataset = dsl.importer(artifact_uri=dataset_uri, artifact_class=dsl.Dataset, reimport=False)
        digests = {"init_digest": init_digest, "start_digest": start_digest}
        task = train_stage(dataset=dataset.output, settings=settings, version=version, **digests)
        return equip(task, "train", environment).outputs["model"]

    return pipeline


def sample(environment: Environment) -> Any:
    """Sample alone, for an environment."""
    default = environment.beneath(DEFAULT).stages["sample"]

    @dsl.pipeline(
        name="sample", description="Writes new text in bulk with a model.", pipeline_config=limits(environment)
    )
    def pipeline(
        model_uri: str,
        settings: dict[str, Any] = default,
        prompts_digest: str = "",
        corpus_digest: str = "",
        version: str = VERSION,
    ) -> dsl.Dataset:
        """Sample, from the model at a URI."""
        model = dsl.importer(artifact_uri=model_uri, artifact_class=dsl.Model, reimport=False)
        digests = {"prompts_digest": prompts_digest, "corpus_digest": corpus_digest}
        return samples_of(model.output, environment, settings=settings, version=version, **digests)

    return pipeline


ALONE = {"ingest": ingest, "vectorize": vectorize, "train": train, "sample": sample}
"""By the stage's name."""
