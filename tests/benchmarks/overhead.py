"""What training does beside its steps: input, checkpoints, evaluation and samples, as shares of its time.

It is the real stage with a recipe's own settings: here with `quick`, and with `default` in `learning`, while that
trains for its three minutes. Left out are the first step, and what the first evaluation and the first samples take
longer than later ones: that is mostly TensorFlow tracing their graphs, once, however long training lasts.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from components.artifacts.dataset import Dataset
from components.artifacts.tensorflow import tf
from components.generator.text import Text
from components.train import loop as loop_module
from components.train.config import TrainConfig
from components.train.evaluation import Evaluation
from components.train.loop import Loop
from components.train.trainer import Trainer
from components.train.training import train
from tests.benchmarks.datasets import dataset_by
from tests.benchmarks.measure import Budget, Figure, seconds_of

INPUT_STEPS = 1000
INPUT, ALL = "input, in the step's graph", "all work beside training steps"
TARGETS = {INPUT: 1, ALL: 5}  # per cent


def figures(budget: Budget) -> list[Figure]:  # noqa: ARG001 -- the recipe is a minute, and less would be another run
    """Shares of the time that fitting takes with `quick`."""
    with tempfile.TemporaryDirectory() as scratch:
        settings, dataset = dataset_by("quick", Path(scratch))
        return Observed(settings, dataset).figures("quick")


class Observed:
    """The stage `train`, run once, with the seconds of each call of its parts.

    Attributes:
        run: as it was left, after its last train step.
    """

    loop: Loop

    def __init__(
        self, settings: TrainConfig, dataset: Path, at_checkpoint: Callable[[Loop], None] | None = None
    ) -> None:
        """Train; `at_checkpoint` is called after each save, and its time counts as none."""
        self._data = Dataset.read(dataset)
        self._looking_on = 0.0
        with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
            self._fits, self._calls, self._evaluations, self._samples, self._saves = (
                stack.enter_context(_timed(owner, name))
                for owner, name in (
                    (Loop, "fit"),
                    (Trainer, "advance"),
                    (Evaluation, "__call__"),
                    (loop_module, "write_samples"),
                    (Loop, "_save"),
                )
            )
            stack.enter_context(self._looked_at(at_checkpoint or (lambda _: None)))
            train(settings, dataset=str(dataset), checkpoints=f"{scratch}/checkpoints", model=f"{scratch}/model")

    @property
    def step_seconds(self) -> float:
        """Seconds of all train steps but the first call's."""
        return sum(self._calls[1:])

    def figures(self, name: str) -> Iterator[Figure]:
        """The parts as shares of the time that fitting took."""
        trainer = self.loop.trainer
        inputs = _input_seconds(trainer, self._data) * trainer.train_steps
        once = self._calls[0] + _first_longer(self._evaluations) + _first_longer(self._samples)
        wall = sum(self._fits) - once - self._looking_on
        scored = f"{self.loop.evaluation.targets:,} tokens"
        parts = {
            INPUT: (inputs, f"{trainer.train_steps:,} steps"),
            "held-out evaluation": _part(self._evaluations, scored),
            "checkpoints, in training's way": _part(self._saves, "saved"),
            "samples": _part(self._samples, f"{len(trainer.config.sample_temperatures)} texts"),
            ALL: (
                wall - self.step_seconds + inputs,
                f"fitted in {wall:.0f} s, {once:.1f} s of tracing left out",
            ),
        }
        for what, (seconds, conditions) in parts.items():
            yield Figure(
                what=f"{name}: {what}",
                measured=100 * seconds / wall,
                unit="% of fitting",
                target=TARGETS.get(what),
                better="lower",
                conditions=conditions,
            )

    @contextmanager
    def _looked_at(self, at_checkpoint: Callable[[Loop], None]) -> Iterator[None]:
        """Note the run, and call `at_checkpoint` after each of its saves."""
        save = Loop._save

        def saving(loop: Loop, *arguments: Any) -> None:
            save(loop, *arguments)
            self.loop = loop
            self._looking_on += seconds_of(lambda: at_checkpoint(loop))

        Loop._save = saving  # type: ignore[method-assign]
        try:
            yield
        finally:
            Loop._save = save  # type: ignore[method-assign]


def _part(seconds: list[float], what: str) -> tuple[float, str]:
    """The seconds of all calls, tracing left out, and what they were."""
    each = f", {median(seconds):.2f} s each" if seconds else ""
    return sum(seconds) - _first_longer(seconds), f"{len(seconds)} times {what}{each}"


def _first_longer(seconds: list[float]) -> float:
    """How much longer the first call took than the others; 0 if there are no others."""
    return max(seconds[0] - median(seconds[1:]), 0.0) if len(seconds) > 1 else 0.0


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
def _timed(owner: Any, name: str) -> Iterator[list[float]]:
    """The seconds of each call of a method or a module's function, while it lasts."""
    called, seconds = getattr(owner, name), []

    def noting(*arguments: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return called(*arguments, **named)
        finally:
            seconds.append(time.perf_counter() - began)

    setattr(owner, name, noting)
    try:
        yield seconds
    finally:
        setattr(owner, name, called)
