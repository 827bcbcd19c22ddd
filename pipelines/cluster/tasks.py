"""The tasks of a run, by Kubeflow's names, and their stages."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from components.steps import STEPS

# A stage's tasks (sample may have several), what prepares them, and Kubeflow's attempts: train, sample-shard,
# train-driver, train(0). A Workflow's name and its nodes' may begin the same (train-mg7fp(0)); some tasks have none.
_TASK = re.compile(rf"(?P<stage>{'|'.join(STEPS)})(-shard|-gather)?(?P<driver>-driver)?(\((?P<attempt>\d+)\))?")


def stage_of(task: str | None) -> str:
    """A task's stage; empty for Kubeflow's own tasks."""
    match = _TASK.fullmatch(task or "")
    return match["stage"] if match else ""


def raise_memory(stage: str) -> str:
    """What to do about a stage that ran out of memory."""
    return f"raise {STEPS[stage].host}.memory_limit in the environment"


@dataclass(frozen=True, kw_only=True)
class StageTasks:
    """A stage's tasks together: their state, last attempt (from 1), and when they began and ended, as far as known."""

    state: str
    attempt: int
    started: datetime | None
    ended: datetime | None


def tasks_by_stage(run: Any) -> dict[str, StageTasks]:
    """The stages that have tasks, in order."""
    found: defaultdict[str, list[tuple[re.Match[str], Any]]] = defaultdict(list)
    for task in (run.run_details and run.run_details.task_details) or []:
        if match := _TASK.fullmatch(task.display_name or ""):
            found[match["stage"]].append((match, task))
    return {stage: _together(found[stage]) for stage in STEPS if stage in found}


def stages_in(run: Any, state: str) -> dict[str, int]:
    """The stages in a state, in order, each with its last attempt, from 1."""
    return {stage: tasks.attempt for stage, tasks in tasks_by_stage(run).items() if tasks.state == state}


def _together(tasks: Sequence[tuple[re.Match[str], Any]]) -> StageTasks:
    attempts = [int(match["attempt"] or 0) for match, _ in tasks]
    # A task without a number stands for all its attempts; what prepares it (its driver) counts only before it is there.
    whole = [task for match, task in tasks if match["attempt"] is None and not match["driver"]]
    states = [task.state or "PENDING" for task in whole or [task for _, task in tasks]]
    state = next((one for one in ("RUNNING", "FAILED", "CANCELED", "PENDING") if one in states), states[0])
    started = min((task.start_time for _, task in tasks if task.start_time), default=None)
    # Kubeflow has the year 1 or 1970 for what has not ended.
    ended = max((task.end_time for _, task in tasks if task.end_time), default=None)
    is_over = state not in {"RUNNING", "PENDING"} and started and ended and ended >= started
    return StageTasks(state=state, attempt=max(attempts) + 1, started=started, ended=ended if is_over else None)
