"""The command `python -m components.train`."""

import sys
from typing import Any

from components.command.stage import Stage
from components.train.config import TrainConfig


def _work(config: TrainConfig, **uris: str) -> dict[str, Any]:
    from components.train.training import train

    return train(config, **uris)


STAGE = Stage(
    name="train",
    summary="Fit a network to a dataset, saving checkpoints and resuming from those that are there.",
    settings=TrainConfig,
    artifacts={
        "dataset": "the dataset to read",
        "checkpoints": "where checkpoints are kept; training goes on from the newest there",
        "model": "where the model goes",
    },
    work=_work,
)

if __name__ == "__main__":
    sys.exit(STAGE.main())
