from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.artifacts.dataset import Dataset
from components.artifacts.manifest import write_manifest
from components.train.config import TrainConfig
from components.vectorize.config import VectorizeConfig
from components.vectorize.vectorizing import vectorize

WORDS = ["abba", "deaf", "hide", "jag", "big", "cab", "fed"]
TINY = {"units": 8, "embedding_size": 4, "batch": 4, "schedule": "constant", "learning_rate": 0.01}


@pytest.fixture(scope="session")
def text() -> str:
    """500 characters of 12 kinds."""
    return (" ".join(np.random.default_rng(1).choice(WORDS, 200)) + "\n")[-500:]


@pytest.fixture(scope="session")
def dataset_of(text: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a dataset artifact of a text; changes are of vectorize's settings."""

    def make(text: str = text, **changes: Any) -> Path:
        place = tmp_path_factory.mktemp("data")
        corpus = place / "corpus"
        corpus.mkdir()
        (corpus / "text.txt").write_text(text, encoding="utf-8")
        write_manifest(corpus, kind="corpus", stage="ingest", config={"lowercase": False}, counts={}, made_from={})
        settings = VectorizeConfig(**{"length": 8, "step": 3, "held_out": 0.2, **changes})
        vectorize(settings, corpus=str(corpus), dataset=str(place / "dataset"))
        return place / "dataset"

    return make


@pytest.fixture(scope="session")
def dataset(dataset_of: Callable[..., Path]) -> Path:
    """400 tokens to train on and 100 held out, windows of 8 every 3."""
    return dataset_of()


@pytest.fixture(scope="session")
def data(dataset: Path) -> Dataset:
    return Dataset.read(dataset)


@pytest.fixture(scope="session")
def config_of() -> Callable[..., TrainConfig]:
    """Settings of a tiny network, but for the changes."""

    def make(**changes: Any) -> TrainConfig:
        return TrainConfig.parse(changes, "train", TINY)

    return make
