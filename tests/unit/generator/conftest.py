"""A tiny network, and networks each of whose weights counts."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from components.generator.architecture import Architecture
from components.generator.network import build


@pytest.fixture(scope="session")
def tiny() -> Architecture:
    return Architecture(
        vocabulary=7,
        layers=1,
        units=5,
        input="one_hot",
        embedding_size=3,
        objective="sequence",
        dropout=0.0,
        dropout_placement="after_each",
    )


@pytest.fixture(scope="session")
def network_of() -> Callable[[Architecture], Any]:
    """Builds a network whose weights are all far from zero, so that each of them counts."""

    def make(architecture: Architecture) -> Any:
        network = build(architecture)
        rng = np.random.default_rng(2)
        network.set_weights([rng.normal(0, 2, weight.shape) for weight in network.get_weights()])
        return network

    return make
