"""Vectorize as a Kubeflow component."""

from typing import Any

from kfp import dsl

from components.artifacts.version import VERSION


@dsl.component(base_image=f"quillflow/vectorize:{VERSION}", packages_to_install=[], install_kfp_package=False)
def vectorize(
    corpus: dsl.Input[dsl.Dataset],
    settings: dict[str, Any],
    version: str,
    dataset: dsl.Output[dsl.Dataset],
    metrics: dsl.Output[dsl.Metrics],
) -> None:
    """Write a corpus as token ids in TFRecords, with its vocabulary.

    Args:
        corpus: the corpus.
        settings: VectorizeConfig's fields.
        version: the suite's version, so that the cache never reuses another version's results.
        dataset: the dataset.
        metrics: its counts.
    """
    from components.command.stage import input_uri, output_uri, stage_task
    from components.command.views import log_metrics
    from components.vectorize.config import VectorizeConfig
    from components.vectorize.vectorizing import vectorize as work

    with stage_task("vectorize"):
        result = work(
            VectorizeConfig.parse(settings, "vectorize"),
            corpus=input_uri(corpus),
            dataset=output_uri(dataset, "vectorize"),
        )
        log_metrics(metrics, result["counts"])
