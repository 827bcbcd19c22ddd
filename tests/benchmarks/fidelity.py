"""How fast the tutorial's recipe trains here, against the tutorial's own code: same network, data and objective.

Each way lives in a process of its own, because deterministic operations, which the suite's trainer switches on,
hold for a whole process. They take turns, block by block: one rests while the other works.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from tests.benchmarks.corpora import find
from tests.benchmarks.measure import Budget, Figure, paired

BATCH = 128
BATCHES = 40
PAIRS: dict[Budget, int] = {"full": 9, "short": 5}
MADE_UP_CHARACTERS = 600_000
MADE_UP_VOCABULARY = "\n " + "".join(map(chr, range(ord("a"), ord("a") + 55)))

Block = Callable[[], object]


def figures(budget: Budget) -> list[Figure]:
    """Windows a second of the recipe `nietzsche`, and of the tutorial's code."""
    with tempfile.TemporaryDirectory() as scratch:
        path, name = _text(Path(scratch))
        with _elsewhere(_tutorial, path) as tutorial, _elsewhere(_recipe, path) as recipe:
            slow, fast = paired(tutorial, recipe, PAIRS[budget])
    windows = BATCH * BATCHES
    conditions = f"{name}; medians of {PAIRS[budget]} turns of {BATCHES} batches of {BATCH}"
    return [
        Figure(what="the tutorial's code", measured=windows / slow, unit="windows/s", conditions=conditions),
        Figure(what="its recipe here", measured=windows / fast, unit="windows/s", conditions=conditions),
        Figure(what="its recipe here over its code", measured=slow / fast, unit="x", target=2, conditions=conditions),
    ]


def _text(scratch: Path) -> tuple[Path, str]:
    """The text and what to call it; speed does not depend on what it says."""
    path = find("nietzsche.txt")
    if path:
        return path, path.name
    path = scratch / "made-up.txt"
    letters = np.random.default_rng(1).choice(list(MADE_UP_VOCABULARY), MADE_UP_CHARACTERS)
    path.write_text("".join(letters), encoding="utf-8")
    return path, f"made-up text of {MADE_UP_CHARACTERS:,} characters"


def _tutorial(text: Path) -> Block:
    from tests.benchmarks.tutorial import Fit

    return Fit(text.read_text(encoding="utf-8"), batches=BATCHES)


def _recipe(text: Path) -> Block:
    from components.artifacts.dataset import Dataset
    from components.artifacts.tensorflow import one_thread_an_operation
    from components.train.trainer import Trainer
    from tests.benchmarks.datasets import dataset_by

    one_thread_an_operation()  # as the stage does
    with tempfile.TemporaryDirectory() as scratch:
        settings, dataset = dataset_by("nietzsche", Path(scratch), source=str(text))
        trainer = Trainer(settings, Dataset.read(dataset))
    return lambda: trainer.advance(0, BATCHES)


@contextmanager
def _elsewhere(make: Callable[[Path], Block], text: Path) -> Iterator[Block]:
    """What `make` makes, in a process of its own and warmed up."""
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, make, text), daemon=True)
    process.start()
    there.close()  # so that a process that ends is an EOFError here

    def turn() -> None:
        here.send(True)
        here.recv()

    try:
        turn()
        yield turn
    finally:
        here.close()
        process.join()


def _serve(connection: Connection, make: Callable[[Path], Block], text: Path) -> None:
    block = make(text)
    try:
        while connection.recv():
            block()
            connection.send(True)
    except EOFError:  # no turn is left
        pass
