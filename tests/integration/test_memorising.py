"""A network that has learnt its text by heart is called out and can be kept from reciting; an honest one is not."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.commands.main import main

pytestmark = pytest.mark.slow("trains until a text is known by heart")

LETTERS, WORDS, LENGTH = "aeinorst", 120, 500
HONEST, BY_HEART = 60, 300  # train steps: about where the held-out loss is lowest, and where it recites
NO_COPY = 20
NETWORK = ["--units", "64", "--ngrams", "4", "--ngram-buckets", "4093", "--batch", "8"]
TRAINING = [*NETWORK, "--learning-rate", "0.01", "--warm-up-steps", "10", "--export", "last"]
WRITING = ["--temperatures", "0.5", "--count", "4", "--length", "200"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short text of random words, ingested and vectorized."""
    place = tmp_path_factory.mktemp("memorising")
    rng = np.random.default_rng(1)
    words = ["".join(rng.choice(list(LETTERS), rng.integers(2, 8))) for _ in range(WORDS)]
    (place / "text.txt").write_text(" ".join(rng.choice(words, LENGTH)))
    quillflow("ingest", "--source", place / "text.txt", "--corpus", place / "corpus")
    settings = ["--length", "16", "--held-out", "0.3"]
    quillflow("vectorize", "--corpus", place / "corpus", "--dataset", place / "dataset", *settings)
    return place


@pytest.fixture(scope="module")
def trained(place: Path) -> Callable[[int], Path]:
    """Trains so many steps, and has the model write."""

    def train(steps: int) -> Path:
        own = place / str(steps)
        places = ["--dataset", place / "dataset", "--checkpoints", own / "checkpoints", "--model", own / "model"]
        quillflow("train", *places, *TRAINING, "--train-steps", steps)
        quillflow("sample", "--model", own / "model", "--samples", own / "samples", *WRITING)
        return own

    return train


@pytest.fixture(scope="module")
def by_heart(trained: Callable[[int], Path]) -> Path:
    return trained(BY_HEART)


def quillflow(*arguments: object) -> None:
    assert main([*map(str, arguments), "--quiet"]) == 0


def evaluated(own: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    capsys.readouterr()
    quillflow("evaluate", own / "model", "--dataset", own.parent / "dataset", "--samples", own / "samples", *options)
    return capsys.readouterr().out


def texts(samples: Path) -> list[str]:
    return [json.loads(line)["text"] for path in samples.glob("*.jsonl") for line in path.read_text().splitlines()]


def longest_copy(written: list[str], corpus: str) -> int:
    """Plainly searched, without hashes."""
    return max(
        next(size for size in range(len(text) - begin, -1, -1) if text[begin : begin + size] in corpus)
        for text in written
        for begin in range(len(text))
    )


def test_a_model_that_recites_is_called_out_with_the_passage_and_its_place(
    place: Path, by_heart: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reported = evaluated(by_heart, capsys)
    assert re.search(r"^These samples (copy|hold a copy): ", reported, re.MULTILINE)
    found: dict[str, Any] = json.loads(evaluated(by_heart, capsys, "--json"))["samples"]
    longest = found["longest"]
    corpus = (place / "corpus" / "text.txt").read_text()
    assert longest["characters"] == longest_copy(texts(by_heart / "samples"), corpus) > 2 * 16
    assert corpus[longest["place"] :].startswith(longest["passage"])
    where = f"The longest copied passage is {longest['characters']:,} characters of sample {longest['id']}"
    assert where in reported
    assert f"it is at character {longest['place']:,} of the training text:" in reported
    assert repr(longest["passage"]) in reported


def test_the_same_network_after_few_steps_is_not_called_out(
    trained: Callable[[int], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    reported = evaluated(trained(HONEST), capsys)
    assert "learned nothing" not in reported
    assert "These samples do not copy: 0.0% of the runs of 32 characters" in reported


def test_a_model_that_recites_can_be_kept_from_it(place: Path, by_heart: Path) -> None:
    corpus = (place / "corpus" / "text.txt").read_text()
    own = ["--model", by_heart / "model", "--samples", by_heart / "original", *WRITING]
    quillflow("sample", *own, "--no-copy", NO_COPY, "--corpus", place / "corpus")
    assert longest_copy(texts(by_heart / "original"), corpus) <= NO_COPY
