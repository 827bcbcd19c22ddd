"""The dataset that all these trainings share."""

from pathlib import Path

import pytest

from tests.durability import harness


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return harness.make_dataset(tmp_path_factory.mktemp("kills"))
