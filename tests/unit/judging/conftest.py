from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.manifest import write_manifest
from components.vectorize.config import VectorizeConfig
from components.vectorize.vectorizing import vectorize

TEXT = "".join(f"The {n} brown foxes jump over {n * 7 % 11} lazy dogs; they never tire. " for n in range(150))


@pytest.fixture(scope="session")
def trained_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a directory with corpus, dataset and a model trained on it; changes are of train's settings."""

    def make(text: str = TEXT, *, vectorizing: dict[str, Any] | None = None, **changes: Any) -> Path:
        from components.train.config import TrainConfig
        from components.train.training import train

        place = tmp_path_factory.mktemp("trained")
        corpus, dataset, model = (str(place / name) for name in ("corpus", "dataset", "model"))
        (place / "corpus").mkdir()
        (place / "corpus" / "text.txt").write_text(text, encoding="utf-8")
        write_manifest(
            place / "corpus", kind="corpus", stage="ingest", config={"lowercase": False}, counts={}, made_from={}
        )
        settings = {"length": 8, "step": 3, "held_out": 0.2, **(vectorizing or {})}
        vectorize(VectorizeConfig(**settings), corpus=corpus, dataset=dataset)
        config = TrainConfig(**{"units": 16, "embedding_size": 8, "batch": 8, "epochs": 1, **changes})
        train(config, dataset=dataset, checkpoints=str(place / "checkpoints"), model=model)
        return place

    return make


@pytest.fixture(scope="session")
def trained(trained_of: Callable[..., Path]) -> Path:
    """A model that carries its state, with what it was made from and what it wrote beside it."""
    from components.sample.config import SampleConfig
    from components.sample.sampling import sample

    place = trained_of()
    config = SampleConfig(length=120, count=3, temperatures=(0.5, 1.0))
    sample(config, model=str(place / "model"), samples=str(place / "samples"))
    return place
