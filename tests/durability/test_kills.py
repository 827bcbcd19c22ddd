"""Training that is killed at any moment ends with the weights of training that was not.

`make soak` runs the same with SOAK_KILLS kills and prints what it saw.
"""

import os
from pathlib import Path

import pytest

from tests.durability import harness

KILLS = int(os.environ.get("SOAK_KILLS", "30"))


def test_training_that_is_killed_ends_with_the_same_weights(dataset: Path, tmp_path: Path) -> None:
    settings, place = harness.VARIANTS["carried state, cosine"], tmp_path / "killed"
    _, touches = harness.measure(dataset, tmp_path / "undisturbed", settings)
    for touch in (1, touches // 2):  # before anything is saved, and during saving
        assert harness.train(dataset, place, settings, harness.Kill(touch=touch)) == -9
    assert harness.train(dataset, place, settings) == 0
    log = (tmp_path / "killed.log").read_text()
    assert harness.weights(place) == harness.weights(tmp_path / "undisturbed"), log
    assert log.count("resumed at train step") == 1
    assert "skipped a checkpoint" not in log


@pytest.mark.slow("random kills of every way of training")
@pytest.mark.parametrize("variant", harness.VARIANTS)
def test_training_killed_at_random_ends_with_the_same_weights(variant: str, dataset: Path, tmp_path: Path) -> None:
    settings = harness.VARIANTS[variant]
    seconds, touches = harness.measure(dataset, tmp_path / "undisturbed", settings)
    undisturbed = harness.weights(tmp_path / "undisturbed")
    wanted = -(-KILLS // len(harness.VARIANTS))
    moments = harness.kills(hash_of(variant), seconds, touches)
    killed = runs = finished = 0
    while killed < wanted:
        place = tmp_path / f"run-{runs}"
        runs += 1
        # A run is killed again and again until it gets through, as on a bad night.
        while True:
            code = harness.train(dataset, place, settings, next(moments))
            killed += code == -9
            if code == 0:
                break
            assert code == -9, (tmp_path / f"{place.name}.log").read_text()
            if killed >= wanted:
                assert harness.train(dataset, place, settings) == 0, (tmp_path / f"{place.name}.log").read_text()
                break
        assert harness.weights(place) == undisturbed, f"{variant}: run {runs} ended with other weights"
        assert "skipped a checkpoint" not in (tmp_path / f"{place.name}.log").read_text(), (
            "a checkpoint could not be read"
        )
        finished += 1


def hash_of(text: str) -> int:
    """A seed that is the same in every process."""
    return sum(ord(character) * 31**place for place, character in enumerate(text)) % 2**32
