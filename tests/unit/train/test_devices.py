"""Several devices train as one."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.dataset import Dataset
from components.artifacts.errors import UsageError
from components.artifacts.tensorflow import tf
from components.train.config import TrainConfig
from components.train.trainer import Trainer
from tests.unit.train.conftest import TINY

MUON: dict[str, Any] = {"optimizer": "muon", "ngrams": 3, "ngram_decay": 5.0, "weight_drop": 0.2, "clip_norm": 0.05}
NEXT: dict[str, Any] = {"objective": "next", "input": "one_hot", "optimizer": "rmsprop", "batch": 6}  # odd last batch
ADAMW: dict[str, Any] = {"optimizer": "adamw", "layers": 2, "clip_norm": 0.05}


def compared(dataset: Path, *changes: dict[str, Any]) -> list[dict[str, Any]]:
    """How one device and two compare with each of `changes`."""
    settings = [json.dumps(values) for values in changes]
    program = [sys.executable, "-m", "tests.unit.train.two_devices", str(dataset), *settings]
    done = subprocess.run(program, check=True, capture_output=True, text=True, timeout=300)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.slow("two devices need a process of their own")
@pytest.mark.parametrize("changes", [[MUON], [NEXT], [ADAMW]], ids=["muon", "next", "adamw"])
def test_two_devices_train_as_one_with_the_same_batch(dataset: Path, changes: list[dict[str, Any]]) -> None:
    results = compared(dataset, *changes)
    assert len(results) == len(changes)
    for found in results:
        (one, targets), (two, same_targets) = found["losses"]
        assert targets == same_targets
        assert one == pytest.approx(two, rel=1e-5)
        assert found["held_out"][0] == pytest.approx(found["held_out"][1], rel=1e-5)
        assert found["apart"] < 1e-4
        assert found["again"]
        assert found["same_shapes"]


def test_lanes_that_devices_cannot_share_evenly_are_refused(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    class Three:
        num_replicas_in_sync = 3

    monkeypatch.setattr("components.train.trainer._strategy_of", lambda *_: Three())
    with pytest.raises(UsageError, match="4 lanes can't be divided evenly among 3 devices"):
        Trainer(TrainConfig(**TINY), data)
    assert tf.distribute.get_strategy().num_replicas_in_sync == 1
