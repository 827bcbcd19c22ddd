"""Which sampling keeps the demo's model from going in circles, and what else it changes: `make bench-circles`.

The recipe `quick` is trained as `make demo` does; at each way of sampling 100 texts of 500 characters are written and
held to held-out text in pieces as long. The table is that of docs/recipes.md. A line more says what `no_repeat` costs.
"""

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from components.artifacts.dataset import Dataset, text_of
from components.artifacts.tensorflow import one_thread_an_operation
from components.command import log
from components.generator.model import Model
from components.generator.network import stepper_of
from components.generator.refused import Repeats
from components.generator.refusing import RefusingWriter
from components.generator.rows import Request
from components.generator.writing import Writer
from components.judging.wording import worded, words_of
from components.judging.writing import pieces_like
from components.sample.config import SampleConfig
from components.sample.sampling import sample
from components.sample.texts import read_texts
from components.train.training import train
from tests.benchmarks.datasets import dataset_by
from tests.benchmarks.measure import paired

RUNS = (100, 40)  # characters; a text that repeats a run of 100 goes in circles
TEXTS, LENGTH, SEED = 100, 500, 1
NO_REPEAT = 100
WAYS: Sequence[Mapping[str, Any]] = [
    {"temperatures": (temperature,), **way}
    for temperature, *ways in (
        (0.5, {}, {"no_repeat": NO_REPEAT}),
        (0.7, {}, {"no_repeat": NO_REPEAT}, {"no_repeat": 40}),
        (0.9, {}, {"no_repeat": NO_REPEAT}, {"no_repeat": 40}),
        (1.0, {}, {"top_p": 0.9}, {"min_p": 0.1}, {"min_p": 0.1, "no_repeat": NO_REPEAT}),
    )
    for way in ways
]
HEAD = ("sampling", *(f"repeat {run} characters" for run in RUNS), "repeated runs of 4 words")
HEAD += ("distinct-1", "distinct-2", "distinct-3", "valid words", "nats per token")
SPEED_TEXTS, PAIRS = 64, 5


def main(place: Path) -> int:
    """Train, and print a row for each way of sampling; the exit code."""
    log.set_up("bench", quiet=True)
    config, dataset = dataset_by("quick", place)
    model = place / "model"
    train(config, dataset=str(dataset), checkpoints=str(place / "checkpoints"), model=str(model))
    one_thread_an_operation()
    data, generator = Dataset.read(dataset), Model.read(model)
    known = words_of(text_of(data.train, data.vocabulary))
    print(_row(HEAD))
    print(_row(["---"] * len(HEAD)))
    texts: list[str] = []
    for number, way in enumerate(WAYS):
        settings = SampleConfig(count=TEXTS, length=LENGTH, seed=SEED, **way)
        rows = _written(settings, model, place / f"samples-{number}")
        texts = [row["text"] for row in rows]
        nats = sum(row["nats_per_token"] for row in rows) / len(rows)
        print(_row([_name(way), *_figures(texts, known, nats)]), flush=True)
    human = pieces_like(texts, text_of(data.validation, data.vocabulary))
    print(_row(["held-out text", *_figures(human, known, _held_out_nats(model))]))
    print(f"\nno_repeat {NO_REPEAT} takes {_cost(generator):.2f} times as long as sampling without (temperature 0.7)")
    return 0


def _written(settings: SampleConfig, model: Path, samples: Path) -> list[Any]:
    sample(settings, model=str(model), samples=str(samples))
    return list(read_texts(samples))


def _figures(texts: Sequence[str], known: frozenset[str], nats: float) -> Iterator[str]:
    """The columns of HEAD after the first."""
    for run in RUNS:
        yield f"{sum(_repeats(text, run) for text in texts)} of {len(texts)}"
    wording = worded(texts, known)
    for share in (wording["self_repetition"], *wording["distinct"].values(), wording["valid_words"]):
        yield f"{share:.1%}"
    yield f"{nats:.2f}"


def _repeats(text: str, run: int) -> bool:
    """Whether a text has the same run of so many characters twice."""
    runs = [text[begin : begin + run] for begin in range(len(text) - run + 1)]
    return len(set(runs)) < len(runs)


def _held_out_nats(model: Path) -> float:
    return float(json.loads((model / "metrics.json").read_bytes())["validation_loss_nats"])


def _cost(model: Model) -> float:
    """The time of sampling with no_repeat by that without: the ratio of medians, timed in turns."""
    stepper = stepper_of(model.architecture, model.network)
    plain = Writer(stepper, context=model.context, window=model.window)
    refusing = RefusingWriter(
        stepper,
        refusals=[partial(Repeats, NO_REPEAT)],
        vocabulary=model.vocabulary,
        context=model.context,
        window=model.window,
    )
    prompts = [model.vocabulary.encode(model.prompts[number]) for number in range(SPEED_TEXTS)]
    requests = [Request(id=number, prompt=prompt, temperature=0.7) for number, prompt in enumerate(prompts)]

    def write(writer: Writer) -> None:
        writer.write(requests, length=LENGTH, seed=SEED)

    for writer in (plain, refusing):
        write(writer)  # compiles
    without, with_it = paired(lambda: write(plain), lambda: write(refusing), PAIRS)
    return with_it / without


def _name(way: Mapping[str, Any]) -> str:
    names = {"temperatures": "temperature"}
    values = {names.get(name, name): value[0] if isinstance(value, tuple) else value for name, value in way.items()}
    return ", ".join(f"{name} {value:g}" for name, value in values.items())


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        sys.exit(main(Path(scratch)))
