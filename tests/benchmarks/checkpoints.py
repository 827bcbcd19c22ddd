"""What a checkpoint costs training: the quick recipe's network, blocks of train steps with and without a save beside.

Blocks alternate, so that a noisy machine disturbs both alike.
"""

import statistics
import tempfile
import time
from pathlib import Path

from components.artifacts.dataset import Dataset
from components.artifacts.tensorflow import one_thread_an_operation
from components.train.checkpoints import Checkpoints
from components.train.ownership import Ownership
from components.train.progress import Progress
from components.train.saving import Saver
from components.train.showing import LiveView
from components.train.trainer import Trainer
from tests.benchmarks.datasets import dataset_by
from tests.benchmarks.measure import Budget, Figure

STEPS = 30
PAIRS: dict[Budget, int] = {"full": 12, "short": 5}


def figures(budget: Budget) -> list[Figure]:
    """The cost of one checkpoint, and its share of training at the default interval."""
    with tempfile.TemporaryDirectory() as scratch:
        settings, dataset = dataset_by("quick", Path(scratch))
        one_thread_an_operation()  # as the stage does
        trainer = Trainer(settings, Dataset.read(dataset))
        place = f"{scratch}/checkpoints"
        with (
            Ownership(place) as ownership,
            Saver(Checkpoints(place, settings, "bench"), ownership, LiveView(place, 1.0)) as saver,
        ):
            cost, held_up = _seconds_of_save(trainer, saver, PAIRS[budget])
    megabytes = sum(value.nbytes for value in trainer.values()) / 1e6
    conditions = f"quick; state of {megabytes:.1f} MB, local disk; {PAIRS[budget]} pairs of {STEPS} steps"
    return [
        Figure(what="a checkpoint costs training", measured=cost * 1000, unit="ms", conditions=conditions),
        Figure(what="of which it holds training up", measured=held_up * 1000, unit="ms", conditions=conditions),
        Figure(
            what="checkpoints' share of training",
            measured=100 * cost / settings.checkpoint_seconds,
            unit="%",
            target=1,
            better="lower",
            conditions=f"quick; one every {settings.checkpoint_seconds:.0f} s, the default",
        ),
    ]


def _seconds_of_save(trainer: Trainer, saver: Saver, pairs: int) -> tuple[float, float]:
    """What a save beside a block of steps costs the block, and how long it held the steps up: medians."""
    trainer.advance(0, STEPS)
    costs, held_up = [], []
    for step in range(STEPS, STEPS + 2 * STEPS * pairs, 2 * STEPS):
        began = time.perf_counter()
        trainer.advance(step, STEPS)
        plain = time.perf_counter() - began
        began = time.perf_counter()
        saver.save(Progress(train_step=step, best_step=step), trainer.values())
        held_up.append(time.perf_counter() - began)
        trainer.advance(step + STEPS, STEPS)
        saver.wait()
        costs.append(time.perf_counter() - began - plain)
    return statistics.median(costs), statistics.median(held_up)
