"""How soon training learns: held-out loss after some minutes, and the time to the tutorials' best loss.

A recipe is trained for a given time of train steps, whose number is set as `train.minutes` sets it. Getting ready and
scoring are not counted. The held-out tenth is never trained on. On tinyshakespeare it is the real stage that trains, so
that what it does beside its steps is measured too, over the time that the recipe has.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.artifacts.dataset import Dataset
from components.artifacts.tensorflow import one_thread_an_operation
from components.generator.network import parameters
from components.train.config import TrainConfig
from components.train.loop import Loop
from components.train.pacing import step_seconds
from components.train.trainer import Trainer
from tests.benchmarks import tutorial
from tests.benchmarks.corpora import corpus
from tests.benchmarks.datasets import dataset_by
from tests.benchmarks.measure import Budget, Figure, seconds_of
from tests.benchmarks.overhead import Observed
from tests.benchmarks.peak import has_avx512
from tests.benchmarks.scoring import WindowLoss

SHAKESPEARE_WINDOW = 256
TUTORIAL_EPOCHS = 6
TUTORIAL_BEST = 1.556
"""The tutorial's best held-out loss, after 6 epochs; a full run measures it again."""
SNAPSHOTS = 50
CURVE_POINTS = 12
SOONER = 20

Snapshot = tuple[float, list[NDArray[Any]]]  # seconds of training, weights
Curve = list[tuple[float, float]]  # seconds of training, nats


def figures(budget: Budget) -> Iterator[Figure]:
    """Loss for a budget of time, and time to the tutorial's loss."""
    yield from shakespeare("default", budget, minutes=3, target=1.440 if has_avx512() else 1.47)
    yield from _nietzsche(budget)


def shakespeare(name: str, budget: Budget, *, minutes: float, target: float) -> Iterator[Figure]:
    """Held-out loss on tinyshakespeare's usual split, by windows of 256, and what the stage did beside its steps."""
    with tempfile.TemporaryDirectory() as scratch:
        config, place = dataset_by(name, Path(scratch), source=str(corpus("tinyshakespeare.txt")))
        data = Dataset.read(place)
        one_thread_an_operation()  # as the stage does
        steps = round(60 * minutes / step_seconds(Trainer(config, data)))
        snapshots: list[Snapshot] = []

        def at_checkpoint(loop: Loop) -> None:
            if budget == "full":
                snapshots.append((loop.progress.step_seconds, loop.trainer.network.get_weights()))

        timed = config.model_copy(update={"minutes": 0, "train_steps": steps})
        observed = Observed(timed, place, at_checkpoint)
    trainer = observed.loop.trainer
    window_loss = WindowLoss(trainer.architecture, data.validation, window=SHAKESPEARE_WINDOW, step=None)
    yield Figure(
        what=f"tinyshakespeare, {minutes:g} minutes, recipe {name}",
        measured=window_loss(trainer.network.get_weights()),
        unit="nats",
        target=target,
        better="lower",
        conditions=f"windows of {SHAKESPEARE_WINDOW}, all targets; "
        + _how_long(steps, observed.step_seconds, config, data),
        curve=_curve(snapshots, window_loss) if snapshots else (),
    )
    yield Figure(
        what=f"parameters of recipe {name}",
        measured=parameters(trainer.network) / 1e6,
        unit="million",
        target=3.0 if name == "best" else None,
        better="lower",
    )
    yield from observed.figures(name)


def _how_long(steps: int, seconds: float, config: TrainConfig, data: Dataset) -> str:
    tokens = steps * config.batch * data.length
    return (
        f"{steps:,} train steps in {seconds:.0f} s, {tokens / seconds:,.0f} tokens/s, "
        f"{tokens / len(data.train):.1f} epochs, seed {config.seed}"
    )


def _nietzsche(budget: Budget) -> Iterator[Figure]:
    """How much sooner the default recipe reaches the tutorial's best held-out loss."""
    text = corpus("nietzsche.txt")
    # In a process of its own: the deterministic operations that a trainer switches on hold for a whole process.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as elsewhere:
        found = elsewhere.submit(_tutorial, text.read_text(encoding="utf-8"), budget)
        best, seconds, how, tutorials_curve = found.result()
    run = TimedRun("default", text, ["ingest.lowercase=true"])  # as the tutorial does
    snapshots = run.train_for(180, until=seconds / SOONER)
    loss = run.window_loss(tutorial.LENGTH, tutorial.STEP)
    first = _first(snapshots, lambda snapshot: loss(snapshot[1]) <= best)
    ours = snapshots[first][0] if first is not None else float("inf")
    yield Figure(
        what="time to the tutorial's best loss on nietzsche, recipe default",
        measured=seconds / ours,
        unit="times sooner",
        target=SOONER,
        conditions=f"{best:.3f} nats of the character after windows of 60: "
        f"{how} in {seconds:,.0f} s, here in {ours:.0f} s; {run}",
        curve=_curve(snapshots, loss) if budget == "full" else (),
    )
    if tutorials_curve:
        yield Figure(what="the tutorial on nietzsche", measured=best, unit="nats", curve=tutorials_curve)


def _tutorial(text: str, budget: Budget) -> tuple[float, float, str, Curve]:
    """The tutorial's best held-out loss, its seconds of training up to there, how they were found, and the curve."""
    if budget == "short":
        windows = TUTORIAL_EPOCHS * len(range(0, len(text) * 9 // 10 - tutorial.LENGTH, tutorial.STEP))
        seconds = windows / tutorial.windows_per_second(text)
        return TUTORIAL_BEST, seconds, "the tutorial, by its speed and the epochs a full run took,", []
    rows = [row for row, _ in zip(tutorial.epochs(text), range(TUTORIAL_EPOCHS), strict=False)]
    seconds, best = min(rows, key=lambda row: row[1])
    return best, seconds, "the tutorial", rows


def _curve(snapshots: list[Snapshot], loss: WindowLoss) -> Curve:
    """The loss along some of the snapshots, ever farther apart."""
    places = np.unique(np.geomspace(1, len(snapshots), CURVE_POINTS).astype(int)) - 1
    return [(snapshots[place][0], loss(snapshots[place][1])) for place in places]


def _first(items: Sequence[Any], holds: Callable[[Any], bool]) -> int | None:
    """The first item for which `holds`, which once it does keeps doing so."""
    low, high = 0, len(items)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(items[middle]) else (middle + 1, high)
    return low if low < len(items) else None


class TimedRun:
    """A recipe trained on a text for a given time."""

    def __init__(self, name: str, text: Path, assignments: Sequence[str] = ()) -> None:
        one_thread_an_operation()  # as the stage does
        with tempfile.TemporaryDirectory() as scratch:
            self._config, place = dataset_by(name, Path(scratch), source=str(text), assignments=assignments)
            self._data = Dataset.read(place)
        self.trainer = Trainer(self._config, self._data)
        self._spent = 0.0
        self._steps = 0

    def __str__(self) -> str:
        return _how_long(self._steps, self._spent, self._config, self._data)

    def train_for(self, seconds: float, *, until: float = float("inf")) -> list[Snapshot]:
        """Train with a schedule of `seconds`, at most `until`; snapshots of the weights on the way."""
        return self._train(round(seconds / step_seconds(self.trainer)), min(seconds, until))

    def train_tokens(self, tokens: int) -> None:
        """Train on as many tokens, however long it takes."""
        step_seconds(self.trainer)  # traces the graph
        self._train(tokens // (self._config.batch * self._data.length), float("inf"))

    def _train(self, steps: int, until: float) -> list[Snapshot]:
        self.trainer.spread_over(steps)
        snapshots: list[Snapshot] = []
        while self._steps < steps and self._spent < until:
            count = min(max(1, round(self._steps and self._steps / self._spent)), steps - self._steps)
            first = self._steps
            self._spent += seconds_of(lambda: self.trainer.advance(first, count))  # noqa: B023 -- called at once
            self._steps += count
            if self._spent - (snapshots[-1][0] if snapshots else 0.0) >= until / SNAPSHOTS:
                snapshots.append((self._spent, self.trainer.network.get_weights()))
        return snapshots

    def window_loss(self, window: int, step: int | None) -> WindowLoss:
        """What scores weights on the held-out text."""
        return WindowLoss(self.trainer.architecture, self._data.validation, window=window, step=step)
