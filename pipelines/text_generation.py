"""The whole pipeline, one definition for a laptop, Docker and a cluster: text in, generator and new text out."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, NamedTuple

from kfp import dsl

from components.artifacts.version import VERSION
from components.ingest.component import ingest as ingest_stage
from components.notify.component import notify as notify_stage
from components.promote.component import promote as promote_stage
from components.report.component import report as report_stage
from components.train.component import train as train_stage
from components.unchanged.component import unchanged as unchanged_stage
from components.vectorize.component import vectorize as vectorize_stage
from pipelines.build.environment import Environment
from pipelines.build.placement import equip, give_urls, limits
from pipelines.build.shards import samples_of
from pipelines.inputs.settings import DEFAULT_RECIPE, recipe

DEFAULT = recipe(DEFAULT_RECIPE)
"""A run's default arguments, so that the compiled pipeline runs without any."""


class Artifacts(NamedTuple):
    """What a run makes."""

    corpus: dsl.Dataset
    dataset: dsl.Dataset
    checkpoints: dsl.Artifact
    model: dsl.Model
    samples: dsl.Dataset
    report: dsl.Artifact


class _Digests(NamedTuple):
    """What names the bytes that a run reads from outside, for the cache."""

    source: Any
    init: Any
    start: Any
    prompts: Any
    corpus: Any


def build(environment: Environment, *, here: bool = False) -> Any:
    """The whole pipeline for an environment; arguments that are not given are its own and the default recipe's.

    If the environment has a champion, a run ends with a promotion, and on a cluster it may end after ingest. `here` is
    for this machine's engine: the pipeline returns its artifacts, which Kubeflow refuses of tasks that may not run, and
    nobody is notified of its end.
    """
    return dsl.pipeline(
        name="text-generation",
        description="Trains a text generator on a text and writes new text with it.",
        pipeline_config=limits(environment),
    )(_definition(environment, here=here))


def _definition(environment: Environment, *, here: bool) -> Callable[..., Any]:
    """The function that kfp compiles: its parameters are the pipeline's."""
    default = environment.beneath(DEFAULT).stages

    def text_generation(
        source: str = DEFAULT.source,
        ingest: dict[str, Any] = default["ingest"],
        vectorize: dict[str, Any] = default["vectorize"],
        train: dict[str, Any] = default["train"],
        sample: dict[str, Any] = default["sample"],
        source_digest: str = "",
        init_digest: str = "",
        start_digest: str = "",
        prompts_digest: str = "",
        corpus_digest: str = "",
        on_unchanged: str = "train",
        version: str = VERSION,
    ) -> Artifacts | None:
        """Ingest, vectorize, train, sample, a report on all of them, and the promotion of a better model.

        Args:
            source: URI of the text, or builtin:python-docs.
            ingest: IngestConfig's fields.
            vectorize: VectorizeConfig's fields.
            train: TrainConfig's fields.
            sample: SampleConfig's fields.
            source_digest: names the source's bytes, for the cache.
            init_digest: names the newest checkpoint at train's init_from, for the cache.
            start_digest: names what is at train's start_from, for the cache.
            prompts_digest: names the prompts file's bytes, for the cache.
            corpus_digest: names the corpus that sample's no_copy is about, for the cache.
            on_unchanged: on a cluster, if the champion was made from the same text with the same settings: train
                nevertheless, or skip all that comes after ingest.
            version: the suite's version, for the cache.
        """
        with nullcontext() if here else _watched(environment):
            made = _steps(
                environment,
                here=here,
                source=source,
                settings={"ingest": ingest, "vectorize": vectorize, "train": train, "sample": sample},
                digests=_Digests(source_digest, init_digest, start_digest, prompts_digest, corpus_digest),
                on_unchanged=on_unchanged,
                version=version,
            )
        return made if here else None

    text_generation.__annotations__["return"] = Artifacts if here else None
    return text_generation


def _watched(environment: Environment) -> Any:
    """What surrounds all steps where somebody is notified how a run ended."""
    cluster, notify = environment.cluster, environment.cluster.notify
    if not notify.secret:
        return nullcontext()
    task = notify_stage(
        run=dsl.PIPELINE_JOB_ID_PLACEHOLDER,
        name=dsl.PIPELINE_JOB_NAME_PLACEHOLDER,
        root=cluster.pipeline_root,
        champion=cluster.champion,
        endpoint=cluster.endpoint,
        states=",".join(notify.states),
        template=notify.template,
    )
    return dsl.ExitHandler(give_urls(equip(task, "notify", environment), notify), name="run")


def _steps(
    environment: Environment,
    *,
    here: bool,
    source: Any,
    settings: Any,
    digests: _Digests,
    on_unchanged: Any,
    version: Any,
) -> Artifacts:
    """The tasks of all steps, each fed with what those before it make."""
    ingested = ingest_stage(
        source=source,
        settings=settings["ingest"],
        source_digest=digests.source,
        champion=environment.cluster.champion,
        version=version,
    )
    corpus = equip(ingested, "ingest", environment).outputs["corpus"]
    may_skip = bool(environment.cluster.champion) and not here
    with _if_changed(corpus, environment, settings, on_unchanged) if may_skip else nullcontext():
        return _after_ingest(corpus, environment, settings=settings, digests=digests, version=version)


def _if_changed(corpus: Any, environment: Environment, settings: Any, on_unchanged: Any) -> Any:
    """The condition of all that comes after ingest."""
    task = unchanged_stage(
        corpus=corpus,
        champion=environment.cluster.champion,
        on_unchanged=on_unchanged,
        **{stage: settings[stage] for stage in ("vectorize", "train", "sample")},
    )
    return dsl.If(equip(task, "unchanged", environment).outputs["Output"] != "skip", name="changed")


def _after_ingest(
    corpus: Any, environment: Environment, *, settings: Any, digests: _Digests, version: Any
) -> Artifacts:
    vectorized = vectorize_stage(corpus=corpus, settings=settings["vectorize"], version=version)
    dataset = equip(vectorized, "vectorize", environment).outputs["dataset"]
    training = train_stage(
        dataset=dataset,
        settings=settings["train"],
        init_digest=digests.init,
        start_digest=digests.start,
        version=version,
    )
    trained = equip(training, "train", environment)
    model = trained.outputs["model"]
    samples = samples_of(
        model,
        environment,
        settings=settings["sample"],
        version=version,
        prompts_digest=digests.prompts,
        corpus_digest=digests.corpus,
    )
    reported = report_stage(corpus=corpus, dataset=dataset, model=model, samples=samples, version=version)
    equip(reported, "report", environment)
    _promote(dataset, model, environment, after=reported)
    return Artifacts(
        corpus=corpus,
        dataset=dataset,
        checkpoints=trained.outputs["checkpoints"],
        model=model,
        samples=samples,
        report=reported.outputs["report"],
    )


def _promote(dataset: Any, model: Any, environment: Environment, *, after: Any) -> None:
    """Promote a better model where the environment keeps a champion."""
    if champion := environment.cluster.champion:
        task = promote_stage(dataset=dataset, model=model, champion=champion).after(after)
        equip(task, "promote", environment)
