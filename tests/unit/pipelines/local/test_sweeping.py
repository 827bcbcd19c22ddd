"""A sweep here, on a clock of the test's own: in which order runs are made, and what ends it."""

from typing import Any

import pytest

from pipelines.inputs.combinations import combinations
from pipelines.inputs.settings import recipe
from pipelines.local import sweeping
from pipelines.local.ending import RunError
from pipelines.local.running import Run
from pipelines.local.sweeping import sweep_here

WANTED = combinations(recipe("quick"), ["train.units=8,16,24,32"])


class Machine:
    """Runs pipelines in no time, on a clock that each run puts forward by its number of units, in seconds."""

    def __init__(self) -> None:
        self.now = 100.0
        self.ends: dict[int, RunError] = {}

    def monotonic(self) -> float:
        return self.now

    def run_pipeline(self, _source: str, settings: Any, _root: str, **_: Any) -> Run:
        units = settings["train"].units
        self.now += units
        if units in self.ends:
            raise self.ends[units]
        return Run(name=f"run-{units}", artifacts={}, metrics={}, stages={})  # type: ignore[typeddict-item]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine()
    monkeypatch.setattr(sweeping, "time", machine)
    monkeypatch.setattr(sweeping, "run_pipeline", machine.run_pipeline)
    return machine


def sweep(budget: float | None = None) -> Any:
    return sweep_here(WANTED, budget, "text.txt", "runs")


@pytest.mark.usefixtures("machine")
def test_every_combination_is_run_and_known_by_its_label() -> None:
    swept = sweep()
    assert swept.made == {f"run-{units}": f"train.units={units}" for units in (8, 16, 24, 32)}
    assert (swept.failed, swept.left) == ({}, [])


def test_a_run_that_fails_does_not_keep_others_from_running(machine: Machine) -> None:
    machine.ends[16] = RunError("train: the loss is not a number", 1)
    swept = sweep()
    assert list(swept.made) == ["run-8", "run-24", "run-32"]
    assert swept.failed == {"train.units=16": "train: the loss is not a number"}


@pytest.mark.parametrize(("budget", "made"), [(1, 1), (16, 2), (39, 2), (40, 3), (72, 4)])
@pytest.mark.usefixtures("machine")
def test_no_run_begins_that_would_exceed_the_budget(budget: float, made: int) -> None:
    """After runs of 8, 16 and 24 s another is taken to last as long as the longest."""
    swept = sweep(budget)
    assert len(swept.made) == made
    assert swept.left == [one.label for one in WANTED[made:]]


@pytest.mark.parametrize("code", [130, 143])
def test_a_signal_ends_the_sweep(machine: Machine, code: int) -> None:
    machine.ends[16] = RunError("interrupted", code)
    with pytest.raises(RunError, match="interrupted"):
        sweep()
    assert machine.now == 124
