"""Training that is killed while its checkpoints go to a bucket ends with the weights of training that was not."""

import random
from pathlib import Path

import pytest

from tests.durability import harness

KILLS = 4
SETTINGS = harness.VARIANTS["carried state, adamw"]


@pytest.mark.slow("each kill is taken over after a while")
@pytest.mark.parametrize("kind", ["gs", "s3"])
def test_killed_training_on_a_bucket_ends_with_the_same_weights(root: str, kind: str, tmp_path: Path) -> None:
    assert root.startswith(kind)
    dataset = harness.make_dataset(tmp_path)
    _, touches = harness.measure(dataset, tmp_path / "undisturbed", SETTINGS, f"{root}/undisturbed")
    rng = random.Random(kind)
    for number in range(KILLS):
        # In the first half, as not all touches are certain: how often the owner makes itself heard is a matter of time.
        kill = harness.Kill(touch=rng.randint(1, touches // 2))
        place, checkpoints = tmp_path / f"killed-{number}", f"{root}/killed-{number}"
        log = tmp_path / f"killed-{number}.log"
        assert harness.train(dataset, place, SETTINGS, kill, checkpoints) == -9, log.read_text()
        assert harness.train(dataset, place, SETTINGS, checkpoints=checkpoints) == 0, log.read_text()
        assert harness.weights(place) == harness.weights(tmp_path / "undisturbed")
        assert "skipped a checkpoint" not in log.read_text()


@pytest.mark.slow("two trainings")
@pytest.mark.parametrize("kind", ["gs", "s3"])
def test_of_two_trainers_at_one_place_in_a_bucket_one_trains_and_the_other_exits_with_75(
    root: str, kind: str, tmp_path: Path
) -> None:
    assert root.startswith(kind)
    dataset = harness.make_dataset(tmp_path)
    settings = {**SETTINGS, "checkpoint_steps": 20, "epochs": 20}
    places = [tmp_path / "one", tmp_path / "other"]
    trainers = [harness.start(dataset, place, settings, checkpoints=f"{root}/shared") for place in places]
    assert sorted(harness.end(trainer) for trainer in trainers) == [0, 75]
