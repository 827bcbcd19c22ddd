"""How fast texts are written: many at once, one alone, and against the tutorials' loop.

Weights are random: speed does not depend on them.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np

from components.artifacts.tensorflow import one_thread_an_operation, use_device
from components.generator.architecture import Architecture
from components.generator.network import build, stepper_of
from components.generator.rows import Request
from components.generator.writing import Writer
from tests.benchmarks.measure import Budget, Figure, paired, seconds_of
from tests.benchmarks.peak import forward_flop, sgemm_peak
from tests.benchmarks.tutorial_sampling import tutorial_loop

UNITS, VOCABULARY, WINDOW = 256, 65, 60
TUTORIAL_CHARACTERS = 10
BATCHES = (1, 8, 64, 512)
LENGTH = 1_000  # characters of each text
ARCHITECTURE = Architecture(
    vocabulary=VOCABULARY,
    layers=1,
    units=UNITS,
    input="one_hot",
    embedding_size=1,
    objective="sequence",
    dropout=0.0,
    dropout_placement="after_each",
)
CONDITIONS = f"one LSTM of {UNITS} units, {VOCABULARY} characters, prompts of {WINDOW}, on "


def figures(budget: Budget) -> Iterator[Figure]:
    """The table's lines; in a short budget with fewer repetitions."""
    repeats = 3 if budget == "short" else 15
    conditions = CONDITIONS + use_device("cpu")
    one_thread_an_operation()  # as the stage does
    write = _writing()
    speeds = {batch: _characters_per_second(write, batch, repeats) for batch in BATCHES}
    peak = sgemm_peak()
    for batch, speed in speeds.items():
        what = "sampling, one stream" if batch == 1 else f"sampling, {batch} texts at once"
        yield Figure(what=what, measured=speed, unit="characters/s", conditions=conditions)
    yield Figure(
        what="sampling in batch",
        measured=100 * speeds[512] * forward_flop(ARCHITECTURE, is_looked_up=True) / peak,
        unit="% of the peak",
        target=60,
        conditions=f"512 texts at once; the peak is {peak / 1e9:,.0f} GFLOP/s",
    )
    yield Figure(
        what="sampling, the least that 8 times the texts or more bring",
        measured=min(more / fewer for fewer, more in pairwise(speeds.values())),
        unit="times the speed",
        target=0.9,
        conditions="from 1 to 8, 64 and 512 texts",
    )
    loop = tutorial_loop(units=UNITS, vocabulary=VOCABULARY, window=WINDOW)
    loop(2)
    ours, theirs = paired(lambda: write(512), lambda: loop(TUTORIAL_CHARACTERS), repeats)
    ratio = 512 * LENGTH / ours * theirs / TUTORIAL_CHARACTERS
    yield Figure(
        what="sampling, 512 texts at once against the tutorials' loop",
        measured=ratio,
        unit="times the speed",
        target=10_000,
        conditions=f"the loop calls model.predict a character, {TUTORIAL_CHARACTERS / theirs:.1f} characters/s",
    )


def _writing() -> Callable[[int], None]:
    """A function that writes so many texts at once."""
    network = build(ARCHITECTURE)
    writer = Writer(stepper_of(ARCHITECTURE, network), context="carry")
    prompts = np.random.default_rng(1).integers(0, VOCABULARY, (max(BATCHES), WINDOW))

    def write(batch: int) -> None:
        requests = [Request(id=number, prompt=prompts[number], temperature=1.0) for number in range(batch)]
        writer.write(requests, length=LENGTH, seed=1)

    write(1)
    return write


def _characters_per_second(write: Callable[[int], None], batch: int, repeats: int) -> float:
    """Of the fastest of a few times: what else a shared machine does can only make it slower."""
    return batch * LENGTH / min(seconds_of(lambda: write(batch)) for _ in range(repeats))
