"""Trains on one device and on two logical CPU devices, and prints how they compare, a line for each settings.

Logical devices are chosen before TensorFlow starts, so test_devices.py runs this as a process of its own.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from components.artifacts.dataset import Dataset
from components.artifacts.tensorflow import tf
from components.train.config import TrainConfig
from components.train.evaluation import Evaluation
from components.train.trainer import Trainer
from tests.unit.train.conftest import TINY


def main(dataset: str, *settings: str) -> None:
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    data = Dataset.read(Path(dataset))
    for values in settings:
        print(json.dumps(compare(data, TrainConfig.parse(json.loads(values), "train", TINY))))  # noqa: T201


def compare(data: Dataset, config: TrainConfig) -> dict[str, Any]:
    one, two = Trainer(config, data), Trainer(config, data, ["CPU:0", "CPU:1"])
    losses = [trainer.advance(0, 30) for trainer in (one, two)]
    held_out = [Evaluation(trainer, data.held_out(0), step=data.step)() for trainer in (one, two)]
    apart = max(float(np.abs(a - b).max()) for a, b in zip(one.values(), two.values(), strict=True))
    saved = two.values()
    further = two.advance(30, 5)
    after = two.values()
    two.restore(saved)
    again = two.advance(30, 5) == further and all(map(np.array_equal, two.values(), after))
    shapes: list[list[Any]] = [[list(value.shape) for value in trainer.values()] for trainer in (one, two)]
    return {
        "losses": losses,
        "held_out": held_out,
        "apart": apart,
        "again": again,
        "same_shapes": shapes[0] == shapes[1],
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
