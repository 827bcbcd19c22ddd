"""What 60 KB of an author are worth to a model that has learned from another: `train.start_from` against none.

`quick` learns from tinyshakespeare and then from 60,000 characters of the Nietzsche text, and from these alone, in as
many train steps; both are scored on the 20,000 characters after them. Each keeps its best checkpoint. Too long for a
short budget.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.corpora import corpus
from tests.benchmarks.datasets import Trained, trained_by
from tests.benchmarks.measure import Budget, Figure

AUTHOR, HELD_OUT = 60_000, 20_000
SEEDS = (1, 2, 3)
STEPS = 500


def figures(_budget: Budget) -> Iterator[Figure]:
    """Held-out bits per character of both ways, the mean over the seeds."""
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        few = place / "few.txt"
        text = corpus("nietzsche.txt").read_text(encoding="utf-8")
        few.write_text(text[100_000 : 100_000 + AUTHOR + HELD_OUT], encoding="utf-8")
        general = _trained(place / "general", corpus("tinyshakespeare.txt"), "train.seed=1").model
        held_out = f"vectorize.held_out={HELD_OUT / (AUTHOR + HELD_OUT)}"
        bits: dict[str, list[float]] = {"from new weights": [], "from the model": []}
        for seed in SEEDS:
            for way, start in (("from new weights", ""), ("from the model", f"train.start_from={general}")):
                some = [held_out, f"train.seed={seed}", *filter(None, [start])]
                bits[way].append(_trained(place / f"{way}-{seed}", few, *some).bits)
    for way, found in bits.items():
        yield Figure(
            what=f"60 KB of another author, {way}, mean of {len(SEEDS)} seeds",
            measured=sum(found) / len(found),
            unit="bits per character",
            conditions=f"recipe quick, {STEPS} train steps: {', '.join(f'{one:.3f}' for one in found)}",
        )


def _trained(place: Path, source: Path, *assignments: str) -> Trained:
    return trained_by("quick", place, source=str(source), assignments=[f"train.train_steps={STEPS}", *assignments])
