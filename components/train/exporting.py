"""Makes a model of one of training's checkpoints, as training makes one of the best or the last."""

from typing import Any

from components.artifacts import storage
from components.artifacts.dataset import Dataset
from components.artifacts.tensorflow import use_device
from components.command import log
from components.train.checkpoints import Checkpoints
from components.train.committed import Committed
from components.train.config import TrainConfig
from components.train.loop import Loop
from components.train.model import metrics_of, write_model


def export(checkpoint: Committed, *, dataset: str, model: str) -> dict[str, Any]:
    """Write the model of a checkpoint that was saved at an epoch's end.

    Args:
        checkpoint: from `committed.of_epoch`.
        dataset: URI of the dataset that it was trained on.
        model: URI of the model.

    Returns:
        The model's URI and its metrics, which are those of the checkpoint.

    Raises:
        ArtifactError: the checkpoint or the dataset is missing or damaged.
        UsageError: the dataset is another.
    """
    use_device("cpu")
    config = TrainConfig.parse(checkpoint.manifest.config, "train")
    with storage.incoming(dataset, "dataset", log.transferred) as directory:
        data = Dataset.read(directory)
    kept = Checkpoints(checkpoint.checkpoints, config, data.digest)
    loop = Loop(config, data, kept)
    loop.progress, values = kept.read(checkpoint.name)
    loop.trainer.restore(values)
    metrics = metrics_of(config, data, loop.trainer, loop.evaluation, loop.progress, export="last")
    write_model(
        model,
        config=config,
        dataset=data,
        trainer=loop.trainer,
        progress=loop.progress,
        metrics=metrics,
        checkpoint=checkpoint,
    )
    return {"model": model, "metrics": metrics}
