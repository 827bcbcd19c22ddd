"""The tasks of a run as Kubeflow names them, and the stages they are of."""

import re
from typing import Any

from components.steps import STEPS

# A stage's task, of which sample may have several, what prepares it, and Kubeflow's attempts: train, sample-shard,
# train-driver, train(0). A Workflow and its nodes may begin alike (train-mg7fp(0)), and some tasks have no name.
_TASK = re.compile(rf"(?P<stage>{'|'.join(STEPS)})(-shard|-gather)?(-driver)?(\((?P<attempt>\d+)\))?")


def stage_of(task: str | None) -> str:
    """The stage that a task is of; empty where it is of Kubeflow's own."""
    match = _TASK.fullmatch(task or "")
    return match["stage"] if match else ""


def raise_memory(stage: str) -> str:
    """What to do about a stage that was killed for memory."""
    return f"raise {STEPS[stage].host}.memory_limit in the environment"


def stages_in(run: Any, state: str) -> dict[str, int]:
    """The stages that have tasks in a state, in their order, each with the last attempt at it, from 1."""
    found: dict[str, int] = {}
    for task in (run.run_details and run.run_details.task_details) or []:
        match = _TASK.fullmatch(task.display_name or "")
        if match and task.state == state:
            found[match["stage"]] = max(found.get(match["stage"], 1), int(match["attempt"] or 0) + 1)
    return {stage: found[stage] for stage in STEPS if stage in found}
