"""Tiny models, each trained in a run of its own."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.documents import END
from components.artifacts.manifest import write_manifest
from components.train.config import TrainConfig
from components.vectorize.config import VectorizeConfig
from components.vectorize.vectorizing import vectorize
from tests.shorter import one_chain, without_page

TEXT = "".join(f"The {n} brown foxes jump over {n * 7 % 11} lazy dogs; they never tire. " for n in range(80))
TINY = {"units": 8, "batch": 4, "schedule": "constant", "learning_rate": 0.01, "epochs": 1}


@dataclass(frozen=True)
class Made:
    """What a run made."""

    root: Path
    name: str

    @property
    def dataset(self) -> str:
        return str(self.root / self.name / "vectorize" / "dataset")

    @property
    def model(self) -> str:
        return str(self.root / self.name / "train" / "model")

    @property
    def metrics(self) -> dict[str, Any]:
        return dict(json.loads((Path(self.model) / "metrics.json").read_text()))


MakeRun = Callable[..., Made]


@pytest.fixture(scope="session")
def make_run(tmp_path_factory: pytest.TempPathFactory) -> MakeRun:
    """Trains a tiny model on a text, in a run of its own: `training` are train's settings, the others vectorize's.

    A run without a name is made once for its settings. Where the text has END, it consists of documents.
    """
    root = tmp_path_factory.mktemp("runs")

    def make(name: str = "", text: str = TEXT, *, training: dict[str, Any] | None = None, **vectorizing: Any) -> Made:
        from components.train.training import train

        made = Made(root, name or hashlib.sha256(repr((text, training, vectorizing)).encode()).hexdigest()[:8])
        if not name and Path(made.model).exists():
            return made
        corpus = root / made.name / "ingest" / "corpus"
        corpus.mkdir(parents=True)
        (corpus / "text.txt").write_text(text.replace(END, "\n"), encoding="utf-8")
        if END in text:
            lengths = [f"{len(document)}\n" for document in text.split(END)[:-1]]
            (corpus / "documents.txt").write_text("".join(lengths))
        write_manifest(corpus, kind="corpus", stage="ingest", config={"lowercase": False}, counts={}, made_from={})
        settings = VectorizeConfig(**{"length": 8, "step": 3, "held_out": 0.2, **vectorizing})
        vectorize(settings, corpus=str(corpus), dataset=made.dataset)
        checkpoints = str(root / made.name / "train" / "checkpoints")
        config = TrainConfig.parse(training or {}, "train", TINY)
        with one_chain(), without_page():
            train(config, dataset=made.dataset, model=made.model, checkpoints=checkpoints)
        return made

    return make


@pytest.fixture(scope="session")
def good(make_run: MakeRun) -> Made:
    """A model that has learned its text."""
    return make_run("good", training={"epochs": 4})


@pytest.fixture(scope="session")
def poor(make_run: MakeRun) -> Made:
    """A model of the next day's text that has learned next to nothing, and reads a character the other lacks."""
    return make_run("poor", TEXT.replace("never", "n\u00e9ver") + "So it was. " * 9, training={"train_steps": 1})
