"""A small text, its dataset, settings of a small network, and trainings that many tests look at."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.artifacts.dataset import Dataset
from components.artifacts.manifest import write_manifest
from components.train.config import TrainConfig
from components.train.training import train
from components.vectorize.config import VectorizeConfig
from components.vectorize.vectorizing import vectorize
from tests.shorter import one_chain, without_page
from tests.unit.train.trained import Run

WORDS = ["abba", "deaf", "hide", "jag", "big", "cab", "fed"]
TINY = {"units": 8, "embedding_size": 4, "batch": 4, "schedule": "constant", "learning_rate": 0.01}


@pytest.fixture(autouse=True, scope="module")
def chains() -> Iterator[None]:
    """One, unless a module has its own fixture of this name."""
    with one_chain():
        yield


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


@pytest.fixture(scope="session")
def run_in(config_of: Callable[..., TrainConfig], dataset: Path) -> Callable[..., Path]:
    """Trains two epochs at a place but for the changes, and returns the model."""

    def go(place: Path, *, of: Path = dataset, page: bool = False, **changes: Any) -> Path:
        config = config_of(**(changes if "train_steps" in changes else {"epochs": 2, **changes}))
        with one_chain(), nullcontext() if page else without_page():
            train(config, dataset=str(of), checkpoints=str(place / "checkpoints"), model=str(place / "model"))
        return place / "model"

    return go


@pytest.fixture
def run(run_in: Callable[..., Path], tmp_path: Path) -> Run:
    """Trains with checkpoints in the test's own place."""

    def go(**changes: Any) -> Path:
        return run_in(tmp_path, **changes)

    return go


@pytest.fixture(scope="session")
def finished(run_in: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of three epochs of twelve train steps, with samples after the first and the last."""
    place = tmp_path_factory.mktemp("finished")
    samples = {"sample_at": (1, 3), "sample_length": 20, "sample_temperatures": (0, 1.0)}
    return run_in(place, page=True, epochs=3, dropout=0.2, **samples)


@pytest.fixture
def resumable(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished run's checkpoints, where `run` resumes from."""
    return Path(shutil.copytree(finished.parent / "checkpoints", tmp_path / "checkpoints"))


@pytest.fixture(scope="session")
def turned(dataset_of: Callable[..., Path]) -> Path:
    """A dataset whose held-out text runs backwards: the better it is learnt, the worse its held-out loss."""
    return dataset_of("abc" * 134 + "cba" * 33)


@pytest.fixture(scope="session")
def overfitted(run_in: Callable[..., Path], turned: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("overfitted")
    return run_in(place, of=turned, epochs=5, learning_rate=0.05, keep_checkpoints=2)


@pytest.fixture(scope="session")
def often_saved(run_in: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose run kept a checkpoint of every fourth of its 24 train steps."""
    return run_in(tmp_path_factory.mktemp("often"), dropout=0.25, checkpoint_steps=4, keep_checkpoints=9)
