"""The tasks of a run as Kubeflow names them, and the stages they are of."""

import re
from collections.abc import Sequence
from typing import Any

from pipelines.engine import STAGES

# A stage's task, of which sample may have several, and Kubeflow's attempts at it: train, sample-shard, train(0). A
# Workflow and its own nodes may begin alike (train-mg7fp, train-mg7fp(0)), and some tasks have no name.
_TASK = re.compile(rf"(?P<stage>{'|'.join(STAGES)})(-shard|-gather)?(\((?P<attempt>\d+)\))?")


def stage_of(task: str | None) -> str:
    """The stage that a task is of; empty where it is of Kubeflow's own."""
    match = _TASK.fullmatch(task or "")
    return match["stage"] if match else ""


def attempt_of(task: str | None) -> int:
    """Which attempt at its stage a task is, from 1."""
    match = _TASK.fullmatch(task or "")
    return int((match and match["attempt"]) or 0) + 1


def tasks(run: Any, state: str) -> list[Any]:
    """The tasks of a run that are in a state."""
    details = (run.run_details and run.run_details.task_details) or []
    return [task for task in details if task.state == state]


def stages_in(run: Any, state: str) -> Sequence[str]:
    """The stages that have tasks in a state, in their order."""
    found = {stage_of(task.display_name) for task in tasks(run, state)}
    return [stage for stage in STAGES if stage in found]
