"""A model of random weights with its corpus, dataset and samples."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.artifacts.manifest import digest, write_manifest
from components.artifacts.vocabulary import Vocabulary
from components.vectorize.config import VectorizeConfig
from components.vectorize.vectorizing import vectorize
from tests.shorter import one_chain

TEXT = "".join(f"The {n} brown foxes jump over {n * 7 % 11} lazy dogs; they never tire. " for n in range(150))


@pytest.fixture(autouse=True, scope="module")
def chains() -> Iterator[None]:
    """One, unless a module has its own fixture of this name."""
    with one_chain():
        yield


@pytest.fixture(scope="session")
def place_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a directory with a corpus, its dataset, and a model of random weights that calls it its own."""

    def make(text: str = TEXT, *, context: str = "carry", objective: str = "sequence", **vectorizing: Any) -> Path:
        place = tmp_path_factory.mktemp("place")
        (place / "corpus").mkdir()
        (place / "corpus" / "text.txt").write_text(text, encoding="utf-8")
        write_manifest(
            place / "corpus", kind="corpus", stage="ingest", config={"lowercase": False}, counts={}, made_from={}
        )
        settings = VectorizeConfig(**{"length": 8, "step": 3, "held_out": 0.2, **vectorizing})
        vectorize(settings, corpus=str(place / "corpus"), dataset=str(place / "dataset"))
        _write_model(place, context, objective)
        return place

    return make


def _write_model(place: Path, context: Any, objective: Any) -> None:
    from components.generator.model import Model
    from components.generator.network import Architecture, build

    vocabulary = Vocabulary.read(place / "dataset")
    architecture = Architecture(
        vocabulary=len(vocabulary),
        layers=1,
        units=5,
        input="embedding",
        embedding_size=4,
        ngrams=2,
        ngram_buckets=31,
        objective=objective,
        dropout=0.0,
        dropout_placement="after_each",
    )
    network, rng = build(architecture), np.random.default_rng(3)
    network.set_weights([rng.normal(0, 1, weight.shape) for weight in network.get_weights()])
    (place / "model").mkdir()
    model = Model(
        architecture=architecture, network=network, vocabulary=vocabulary, context=context, window=8, prompts=["The "]
    )
    model.write(place / "model", {})
    made_from = {"dataset": digest(place / "dataset")}
    write_manifest(place / "model", kind="model", stage="train", config={}, counts={}, made_from=made_from)


@pytest.fixture(scope="session")
def place(place_of: Callable[..., Path]) -> Path:
    """A model that carries its state, with its dataset."""
    return place_of()


@pytest.fixture(scope="session")
def samples_of() -> Callable[..., str]:
    """Makes a samples artifact of texts at a place, written by a model, at two temperatures in turn."""

    def make(place: Path, texts: Sequence[str], model: Path) -> str:
        place.mkdir()
        rows = [
            {"id": n, "text": text, "temperature": 0.5 + n % 2 / 2, "strategy": "temperature"}
            for n, text in enumerate(texts)
        ]
        (place / "samples-00000-of-00001.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        made_from = {"model": digest(model)}
        write_manifest(place, kind="samples", stage="sample", config={}, counts={}, made_from=made_from)
        return str(place)

    return make
