from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.artifacts.manifest import write_manifest
from components.artifacts.vocabulary import Vocabulary
from components.generator.architecture import Architecture
from components.generator.model import Model
from components.generator.network import build

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
        chance = np.random.default_rng(3)
        network.set_weights([chance.normal(0, 1, weight.shape) for weight in network.get_weights()])
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
