"""Training that is killed while its checkpoints go to a bucket ends with the weights of training that was not."""

import random
import time
from pathlib import Path

import pytest

from tests.durability import harness

KILLS = 4
SETTINGS = harness.VARIANTS["carried state, adamw"]


@pytest.mark.parametrize("kind", ["gs", "s3"])
def test_killed_training_on_a_bucket_ends_with_the_same_weights(root: str, kind: str, tmp_path: Path) -> None:
    assert root.startswith(kind)
    dataset = harness.make_dataset(tmp_path)
    began = time.monotonic()
    assert harness.train(dataset, tmp_path / "undisturbed", SETTINGS, checkpoints=f"{root}/undisturbed") == 0
    whole = time.monotonic() - began
    chance = random.Random(kind)
    killed = 0
    for _ in range(KILLS):
        kill = harness.Kill(seconds=chance.uniform(0.3, 1) * whole)
        code = harness.train(dataset, tmp_path / "killed", SETTINGS, kill, f"{root}/killed")
        assert code in {-9, 0}, (tmp_path / "killed.log").read_text()
        killed += code == -9
    assert killed
    assert harness.train(dataset, tmp_path / "killed", SETTINGS, checkpoints=f"{root}/killed") == 0
    assert harness.weights(tmp_path / "killed") == harness.weights(tmp_path / "undisturbed")
    assert "passed over" not in (tmp_path / "killed.log").read_text()
