"""What a training left: its model's files, history, weights and checkpoints."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from components.artifacts.dataset import Dataset
from components.artifacts.tensorflow import tf
from components.generator.model import Model
from components.generator.network import stepper_of

Run = Callable[..., Path]


def json_in(path: Path) -> Any:
    return json.loads(path.read_bytes())


def history(model: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (model / "history.jsonl").read_bytes().splitlines()]


def weights(model: Path) -> str:
    return str(json_in(model / "config.json")["weights_sha256"])


def checkpoints_in(place: Path) -> dict[int, Path]:
    """The checkpoints' directories by train step."""
    found = [path for path in (place / "checkpoints").iterdir() if path.is_dir() and path.name[0].isdecimal()]
    return {int(path.name.partition("-")[0]): path for path in sorted(found)}


def damage(checkpoint: Path) -> None:
    """Cut every file of a checkpoint but its manifest short."""
    for path in checkpoint.iterdir():
        if path.name != "manifest.json":
            os.truncate(path, path.stat().st_size // 2)


def held_out_loss(model: Path, dataset: Path) -> float:
    """The mean nats per token over the held-out text, read in one go by the written model."""
    generator, ids = Model.read(model), Dataset.read(dataset).validation
    stepper = stepper_of(generator.architecture, generator.network)
    states, nats = stepper.zero_states(1), []
    for index, label in enumerate(ids[1:]):
        states = stepper.read(tf.constant(ids[index : index + 1], tf.int32), states)
        row = np.array(stepper.logits(states)[0], np.float64)
        nats.append(np.log(np.exp(row).sum()) - row[label])
    return float(np.mean(nats))
