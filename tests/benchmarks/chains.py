"""What it brings to train and evaluate a batch in two chains side by side, against one; in turns, in one process."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from components.artifacts.dataset import Dataset
from components.artifacts.tensorflow import one_thread_an_operation
from components.generator import scoring
from components.train import trainer
from components.train.config import TrainConfig
from components.train.evaluation import Evaluation
from components.train.trainer import Trainer
from tests.benchmarks.datasets import dataset_by
from tests.benchmarks.measure import Budget, Figure, paired

STEPS = {"nietzsche": 40, "default": 40, "best": 10}
PAIRS: dict[Budget, int] = {"full": 9, "short": 5}


def figures(budget: Budget) -> Iterator[Figure]:
    """How many times as fast two chains are as one."""
    one_thread_an_operation()  # as the stage does
    pairs = PAIRS[budget]
    with tempfile.TemporaryDirectory() as scratch:
        for name, steps in STEPS.items():
            settings, place = dataset_by(name, Path(scratch) / name)
            data = Dataset.read(place)
            one, two = _trainer(settings, data, 1), _trainer(settings, data, 2)
            one.advance(0, steps)
            two.advance(0, steps)
            slow, fast = paired(lambda t=one, n=steps: t.advance(0, n), lambda t=two, n=steps: t.advance(0, n), pairs)
            yield Figure(
                what=f"two chains over one, {name}",
                measured=slow / fast,
                unit="x",
                conditions=f"batch {settings.batch}, {settings.units} units; medians of {pairs} turns of {steps} steps",
            )
        with _chains(1):
            whole = Evaluation(two, data.held_out(0), step=data.step)
            whole()
        halves = Evaluation(two, data.held_out(0), step=data.step)
        halves()
        slow, fast = paired(whole, halves, pairs)
        yield Figure(
            what="two chains over one, evaluation",
            measured=slow / fast,
            unit="x",
            conditions=f"{len(data.validation):,} tokens, the network of best; medians of {pairs} turns",
        )


def _trainer(settings: TrainConfig, data: Dataset, chains: int) -> Trainer:
    with _chains(chains):
        return Trainer(settings, data)


@contextmanager
def _chains(count: int) -> Iterator[None]:
    """Train and evaluate in this many chains what is built, or called first, in the block."""
    before = trainer.CHAINS_ON_CPU
    trainer.CHAINS_ON_CPU = scoring.CHAINS_ON_CPU = count
    try:
        yield
    finally:
        trainer.CHAINS_ON_CPU = scoring.CHAINS_ON_CPU = before
