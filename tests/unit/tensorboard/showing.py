"""Models whose logs train wrote, and questions to a TensorBoard that shows them."""

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from components.artifacts import storage
from components.artifacts.manifest import write_manifest
from components.train.tensorboard import write_events

SECONDS = 120
"""How long TensorBoard may take to start, or to show something."""
HISTORY = [
    {
        "train_step": 10 * epoch,
        "seconds": 1.5 * epoch,
        "validation_loss_nats": 3 / epoch,
        "curve": [
            {
                "train_step": 10 * epoch - back,
                "seconds": 1.5 * epoch,
                "train_loss_nats": 2 / epoch,
                "learning_rate": 0.25,
                "tokens_per_second": 1000.0,
            }
            for back in (5, 0)
        ],
    }
    for epoch in (1, 2)
]


def make_model(uri: str) -> None:
    with storage.outgoing(uri, "model") as directory:
        write_events(directory / "tensorboard", HISTORY, 1.0)
        write_manifest(directory, kind="model", stage="train", config={}, counts={}, made_from={})


def ask(url: str, path: str, **query: str) -> Any:
    """What the API of the TensorBoard at `url` answers."""
    with urlopen(f"{url}/data/{path}?{urlencode(query)}", timeout=30) as answer:
        return json.load(answer)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def shows(url: str, *models: str) -> bool:
    """Whether TensorBoard lists the logs of these models and no others."""
    return sorted(ask(url, "runs")) == sorted(f"{model}/{log}" for model in models for log in ("training", "held_out"))


def check_losses(url: str, model: str) -> None:
    """Hold the scalars that TensorBoard has of a model to HISTORY."""
    held_out = {"run": f"{model}/held_out", "tag": "loss/nats_per_token"}
    until(lambda: held_out["tag"] in ask(url, "plugin/scalars/tags").get(held_out["run"], {}))
    assert ask(url, "plugin/scalars/scalars", **held_out) == [[1.5, 10, 3.0], [3.0, 20, 1.5]]
    rates = ask(url, "plugin/scalars/scalars", run=f"{model}/training", tag="learning_rate")
    assert [(step, value) for _, step, value in rates] == [(5, 0.25), (10, 0.25), (15, 0.25), (20, 0.25)]
