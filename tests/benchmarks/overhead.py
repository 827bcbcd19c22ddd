"""What training does beside its steps: input, checkpoints, metrics and samples, as shares of its time.

It is the real stage with the recipe `quick`. Left out is the first step, which is mostly TensorFlow tracing its
graph: that happens once, however long training lasts.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from components.artifacts.dataset import Dataset
from components.artifacts.tensorflow import tf
from components.train.data import Text
from components.train.evaluation import Evaluation
from components.train.run import Run
from components.train.samples import write_samples
from components.train.trainer import Trainer
from components.train.training import train
from tests.benchmarks.datasets import dataset_by
from tests.benchmarks.measure import Budget, Figure, seconds_of

EPOCHS = 4
INPUT_STEPS = 1000


def figures(budget: Budget) -> list[Figure]:  # noqa: ARG001 -- a shorter run would weigh tracing too much
    """Shares of the time that fitting takes."""
    with tempfile.TemporaryDirectory() as scratch:
        settings, dataset = dataset_by("quick", Path(scratch))
        settings = settings.model_copy(update={"epochs": EPOCHS, "train_steps": 0})
        with (
            _timed(Run, "fit") as fits,
            _timed(Trainer, "advance") as calls,
            _timed(Evaluation, "__call__") as evaluations,
            _timed(Run, "_save") as saves,
        ):
            train(settings, dataset=str(dataset), checkpoints=f"{scratch}/checkpoints", model=f"{scratch}/model")
        data = Dataset.read(dataset)
        trainer = Trainer(settings, data)
        samples = seconds_of(lambda: write_samples(settings, data, trainer, epoch=1))
    wall, steps = sum(fits) - calls[0], sum(calls[1:])
    inputs = _input_seconds(trainer, data) * trainer.train_steps
    share = "% of fitting"
    conditions = f"quick, {EPOCHS} epochs, fitted in {wall:.0f} s, {calls[0]:.1f} s of first step left out"
    return [
        Figure(what="input, in the step's graph", measured=100 * inputs / wall, unit=share, conditions=conditions),
        Figure(
            what="held-out evaluation",
            measured=100 * sum(evaluations) / wall,
            unit=share,
            conditions=f"{max(evaluations):.1f} s the longest, {min(evaluations):.1f} s the shortest",
        ),
        Figure(what="checkpoints, in training's way", measured=100 * sum(saves) / wall, unit=share),
        Figure(
            what="samples, for recipes with them",
            measured=samples,
            unit="s",
            conditions=f"{len(settings.sample_temperatures)} of {settings.sample_length} characters; none in quick",
        ),
        Figure(
            what="all work beside training steps",
            measured=100 * (wall - steps + inputs) / wall,
            unit=share,
            target=5,
            better="lower",
            conditions=conditions,
        ),
    ]


def _input_seconds(trainer: Trainer, data: Dataset) -> float:
    """Seconds of a train step's input: finding where its windows begin and gathering their ids."""
    text = Text(data.train)

    def take(count: Any) -> Any:
        total = tf.constant(0)
        for step in tf.range(count):
            total += tf.reduce_sum(text.windows(trainer.order.starts(step), trainer.length + 1))
        return total

    graph, steps = tf.function(take), tf.constant(INPUT_STEPS, tf.int64)
    graph(steps)
    return seconds_of(lambda: graph(steps)) / INPUT_STEPS


@contextmanager
def _timed(owner: type, name: str) -> Iterator[list[float]]:
    """The seconds of each call of a method, while it lasts."""
    method, seconds = getattr(owner, name), []

    def noting(*arguments: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return method(*arguments, **named)
        finally:
            seconds.append(time.perf_counter() - began)

    setattr(owner, name, noting)
    try:
        yield seconds
    finally:
        setattr(owner, name, method)
