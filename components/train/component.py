"""Train as a Kubeflow component."""

from typing import Any

from kfp import dsl

from components.artifacts.version import VERSION


@dsl.component(base_image=f"quillflow/train:{VERSION}", packages_to_install=[], install_kfp_package=False)
def train(
    dataset: dsl.Input[dsl.Dataset],
    settings: dict[str, Any],
    version: str,
    checkpoints: dsl.Output[dsl.Artifact],
    model: dsl.Output[dsl.Model],
    metrics: dsl.Output[dsl.Metrics],
) -> None:
    """Fit a network to a dataset, saving checkpoints and resuming from those that are there.

    Args:
        dataset: the dataset.
        settings: TrainConfig's fields.
        version: the suite's version, so that the cache never answers for another one.
        checkpoints: all that training goes on from, written while it runs.
        model: the trained network and all that is needed to write with it.
        metrics: the model's metrics, as its metrics.json.
    """
    import json
    from pathlib import Path

    from components.command.stage import input_uri, output_uri, stage_task
    from components.train.config import TrainConfig
    from components.train.training import train as work

    with stage_task("train"):
        model_uri = output_uri(model, "train")
        output_uri(checkpoints, "train")
        result = work(
            TrainConfig.parse(settings, "train"),
            dataset=input_uri(dataset),
            checkpoints=checkpoints.uri,  # not .path: written while training, so that a retried pod goes on from there
            model=model_uri,
        )
        known = {name: value for name, value in result["metrics"].items() if value is not None}
        for name, value in known.items():
            metrics.log_metric(name, value)
        # kfp's local cache answers only for outputs that have a file.
        Path(metrics.path).write_text(json.dumps(known))
