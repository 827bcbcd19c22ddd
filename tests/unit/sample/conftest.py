"""Models of untrained networks, and samples of them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.artifacts.manifest import write_manifest
from components.artifacts.vocabulary import Vocabulary
from components.generator.architecture import Architecture
from components.generator.model import Model
from components.generator.network import build
from components.generator.writing import Tiling
from components.sample.config import SampleConfig
from components.sample.sampling import sample
from tests.unit.sample.sampled import Write, rows_of

PROMPTS = ["abc def ", "fé <hi> ", "& i had ", "\nabcdef\n"]


@pytest.fixture(scope="session")
def model_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a model artifact of an untrained network; changes are of Model's fields."""

    def make(**changes: Any) -> Path:
        vocabulary = changes.pop("vocabulary", Vocabulary(kind="characters", tokens=tuple(sorted("abcdefghi<>&é \n"))))
        architecture = Architecture(
            vocabulary=len(vocabulary),
            layers=1,
            units=8,
            input="one_hot",
            embedding_size=1,
            objective="sequence",
            dropout=0.0,
            dropout_placement="after_each",
        )
        network = build(architecture)
        rng = np.random.default_rng(3)
        network.set_weights([rng.normal(0, 1, weight.shape) for weight in network.get_weights()])
        values = {"context": "carry", "window": 8, "prompts": PROMPTS, **changes}
        directory = tmp_path_factory.mktemp("model")
        Model(architecture=architecture, network=network, vocabulary=vocabulary, **values).write(directory, {})
        write_manifest(directory, kind="model", stage="train", config={}, counts={}, made_from={})
        return directory

    return make


@pytest.fixture(scope="session")
def model(model_of: Callable[..., Path]) -> Path:
    """A model of 15 characters that carries its state."""
    return model_of()


@pytest.fixture
def write_compiled(model: Path, tmp_path: Path) -> Write:
    """Writes samples with the changed settings, and returns their rows."""

    def run(*, source: Path = model, **changes: Any) -> list[dict[str, Any]]:
        sample(SampleConfig(**{"length": 12, **changes}), model=str(source), samples=str(tmp_path / "samples"))
        return rows_of(tmp_path / "samples")

    return run


@pytest.fixture
def write(write_compiled: Write, monkeypatch: pytest.MonkeyPatch) -> Write:
    """The same without XLA, whose compiling takes longer than a few texts."""
    tiling = replace(Tiling.of_device(), compiled=False)
    monkeypatch.setattr(Tiling, "of_device", lambda: tiling)
    return write_compiled


@pytest.fixture(scope="module")
def given(model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Samples of two given prompts at three temperatures, and what `sample` returned."""
    samples = tmp_path_factory.mktemp("given") / "samples"
    config = SampleConfig(
        prompts=("<b>", "fed & "), temperatures=(0, 0.5, 1), count=3, length=15, seed=7, top_k=9, top_p=0.95
    )
    return samples, sample(config, model=str(model), samples=str(samples))
