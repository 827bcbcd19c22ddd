"""Train's row in the table of steps, and its command."""

from typing import Any

from components.command.stage import Stage
from components.train.config import TrainConfig


def _work(config: TrainConfig, **uris: str) -> dict[str, Any]:
    from components.train.training import train

    return train(config, **uris)


STAGE = Stage(
    name="train",
    summary="Fit a network to a dataset; save checkpoints and resume from existing ones.",
    settings=TrainConfig,
    inputs={"dataset": "the dataset to read"},
    outputs={
        "checkpoints": "where checkpoints are saved; training resumes from the newest there",
        "model": "where to write the model",
    },
    page="model",
    less_memory="lower train.batch, train.units or vectorize.length",
    work=_work,
)
