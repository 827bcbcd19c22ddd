"""Train as a Kubeflow component."""

from typing import Any

from kfp import dsl

from components.artifacts.version import VERSION


@dsl.component(base_image=f"quillflow/train:{VERSION}", packages_to_install=[], install_kfp_package=False)
def train(
    dataset: dsl.Input[dsl.Dataset],
    settings: dict[str, Any],
    init_digest: str,
    start_digest: str,
    version: str,
    checkpoints: dsl.Output[dsl.Artifact],
    model: dsl.Output[dsl.Model],
    metrics: dsl.Output[dsl.Metrics],
    page: dsl.Output[dsl.HTML],
    card: dsl.Output[dsl.Markdown],
) -> None:
    """Fit a network to a dataset; save checkpoints and resume from existing ones.

    Args:
        dataset: the dataset.
        settings: TrainConfig's fields.
        init_digest: a digest of the newest checkpoint at init_from, so that a newer one misses the cache.
        start_digest: a digest of what is at start_from, likewise.
        version: the suite's version, so that the cache never reuses another version's results.
        checkpoints: all that training resumes from, written while it runs.
        model: the trained network and everything that is needed to write with it.
        metrics: the model's metrics, as its metrics.json.
        page: the model's report, for Kubeflow's UI.
        card: the model's README.md, for Kubeflow's UI.
    """
    from components.command.stage import input_uri, output_uri, stage_task
    from components.command.views import log_metrics, show
    from components.train.attempts import train_with_restarts
    from components.train.config import TrainConfig

    with stage_task("train"):
        output_uri(checkpoints, "train")
        model_uri, config = output_uri(model, "train"), TrainConfig.parse(settings, "train")
        result = train_with_restarts(
            config,
            dataset=input_uri(dataset),
            checkpoints=checkpoints.uri,  # not .path: written while training, so a retried pod resumes from there
            model=model_uri,
            init_digest=init_digest,
            start_digest=start_digest,
            task=checkpoints.uri,  # made for this task of this run, and kept by its retries
        )
        log_metrics(metrics, result["metrics"])
        show(model_uri, "report.html", page)
        show(model_uri, "README.md", card)
