"""The tasks of a run, by Kubeflow's names, and their stages."""

import re
from typing import Any

from components.steps import STEPS

# A stage's tasks (sample may have several), what prepares them, and Kubeflow's attempts: train, sample-shard,
# train-driver, train(0). A Workflow's name and its nodes' may begin the same (train-mg7fp(0)); some tasks have none.
_TASK = re.compile(rf"(?P<stage>{'|'.join(STEPS)})(-shard|-gather)?(-driver)?(\((?P<attempt>\d+)\))?")


def stage_of(task: str | None) -> str:
    """A task's stage; empty for Kubeflow's own tasks."""
    match = _TASK.fullmatch(task or "")
    return match["stage"] if match else ""


def raise_memory(stage: str) -> str:
    """What to do about a stage that ran out of memory."""
    return f"raise {STEPS[stage].host}.memory_limit in the environment"


def stages_in(run: Any, state: str) -> dict[str, int]:
    """The stages that have tasks in a state, in order, each with its last attempt, from 1."""
    found: dict[str, int] = {}
    for task in (run.run_details and run.run_details.task_details) or []:
        match = _TASK.fullmatch(task.display_name or "")
        if match and task.state == state:
            found[match["stage"]] = max(found.get(match["stage"], 1), int(match["attempt"] or 0) + 1)
    return {stage: found[stage] for stage in STEPS if stage in found}
