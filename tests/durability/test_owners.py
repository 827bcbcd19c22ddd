"""Eight trainers at one place: one trains, the others leave with a code of their own and say who it is."""

from pathlib import Path

import pytest

from tests.durability import harness

SETTINGS = {"optimizer": "adamw", "epochs": 40, "checkpoint_steps": 50}


@pytest.mark.slow("nine trainings")
def test_of_eight_trainers_one_trains_and_seven_exit_with_75(dataset: Path, tmp_path: Path) -> None:
    assert harness.train(dataset, tmp_path / "alone", SETTINGS) == 0
    place = str(tmp_path / "shared")
    processes = [harness.start(dataset, tmp_path / f"model-{n}", SETTINGS, checkpoints=place) for n in range(8)]
    codes = [harness.end(process) for process in processes]
    trained = codes.index(0)
    assert sorted(codes, key=str) == [0, *[75] * 7]
    assert harness.weights(tmp_path / f"model-{trained}") == harness.weights(tmp_path / "alone")
    log = (tmp_path / f"model-{(trained + 1) % 8}.log").read_text()
    assert f"owned by process {processes[trained].pid} on " in log
