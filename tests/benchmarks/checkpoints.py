"""What a checkpoint costs training: the quick recipe's network, blocks of train steps with and without a save beside.

Run it with `make bench-checkpoints`. Blocks alternate, so that a noisy machine disturbs both alike.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from components.command import log
from components.ingest.config import IngestConfig
from components.ingest.ingesting import ingest
from components.train.checkpoints import Checkpoints, Progress, Saver
from components.train.config import TrainConfig
from components.train.data import Dataset
from components.train.ownership import Ownership
from components.train.trainer import Trainer
from components.vectorize.config import VectorizeConfig
from components.vectorize.vectorizing import vectorize
from pipelines.settings import recipe, settings_of

STEPS = 30
PAIRS = 12
TARGET_SHARE = 0.01


def main() -> int:
    log.set_up("bench")
    settings = settings_of(recipe("quick"), [])["train"]
    assert isinstance(settings, TrainConfig)
    with tempfile.TemporaryDirectory() as scratch:
        corpus, dataset, place = (f"{scratch}/{name}" for name in ("corpus", "dataset", "checkpoints"))
        ingest(IngestConfig(), source="builtin:python-docs", corpus=corpus)
        vectorize(VectorizeConfig(), corpus=corpus, dataset=dataset)
        trainer = Trainer(settings, Dataset.read(Path(dataset)))
        with Ownership(place) as ownership, Saver(Checkpoints(place, settings, "bench"), ownership) as saver:
            costs, blocked = measure(trainer, saver)
        size = sum(value.nbytes for value in trainer.values())
    cost = statistics.median(costs)
    share = cost / settings.checkpoint_seconds
    print(f"state of {size / 1e6:.1f} MB; {PAIRS} pairs of blocks of {STEPS} train steps")
    held_up = statistics.median(blocked)
    print(f"a checkpoint costs training {cost * 1000:.0f} ms (median), of which it holds it up {held_up * 1000:.0f} ms")
    print(f"every {settings.checkpoint_seconds:.0f} s, the default, that is {share:.3%} (target: {TARGET_SHARE:.0%})")
    return 0 if share <= TARGET_SHARE else 1


def measure(trainer: Trainer, saver: Saver) -> tuple[list[float], list[float]]:
    """Seconds that a save beside a block of steps costs it, and seconds it held the steps up, for each pair."""
    trainer.advance(0, STEPS)
    costs, blocked = [], []
    step = STEPS
    for _ in range(PAIRS):
        began = time.monotonic()
        trainer.advance(step, STEPS)
        plain = time.monotonic() - began
        began = time.monotonic()
        saver.save(Progress(train_step=step, best_step=step), trainer.values())
        blocked.append(time.monotonic() - began)
        trainer.advance(step + STEPS, STEPS)
        saver.wait()
        costs.append(time.monotonic() - began - plain)
        step += 2 * STEPS
    return costs, blocked


if __name__ == "__main__":
    sys.exit(main())
