"""A run in hand: each stage's state, times, attempts and last line, and how far its training is."""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from components.artifacts.errors import QuillflowError
from components.artifacts.storage.failures import one_line
from components.command import log
from components.train.live import LIVE_NAME, read_live
from pipelines.cluster.client import Client
from pipelines.cluster.logs import last_line, logs, place_of
from pipelines.cluster.pods import Pod, last, pods
from pipelines.cluster.runs import as_dict, doing_or_done
from pipelines.cluster.tasks import StageTasks, stage_of, tasks_by_stage

LINES = 200
"""How many of a running pod's last lines are searched for one of the stage's own."""
_LIVE = re.compile(rf"/train[^/]*/[^/]+/checkpoints/{re.escape(LIVE_NAME)}$")


def overview(client: Client, run: Any) -> dict[str, Any]:
    """What `runs show --json` prints of a run; what can't be read from here is missing.

    Times are ISO 8601, durations in seconds. `training` is progress.json of the checkpoints with their `age`, if
    training has begun and its model is not complete.
    """
    there, stored = pods(client.kubernetes.workflow(run.run_id)), _stored_lines(client, run)
    stages = [
        _stage(client, run, stage, tasks, last(there, stage), stored) for stage, tasks in tasks_by_stage(run).items()
    ]
    trains = any(one["stage"] == "train" and one["state"] != "SUCCEEDED" for one in stages)
    training = _training(client, run) if trains else None
    return {**as_dict(run), "doing": doing_or_done(client, run), "stages": stages, "training": training}


def as_lines(view: Mapping[str, Any]) -> list[str]:
    """An overview for people: the run, a line a stage, and the training."""
    what = f": {view['doing']}" if view["doing"] else ""
    took = "" if view["seconds"] is None else f", {log.duration(view['seconds'])}"
    lines = [f"Run {view['run']} ({view['name']}) is {view['state'].lower()}{took}{what}"]
    if view["stages"]:
        lines.append("stage      state      started (UTC)            took  attempt  last line")
    for one in view["stages"]:
        started = (one["started"] or "").replace("T", " ")[:19]
        seconds = "" if one["seconds"] is None else log.duration(one["seconds"])
        row = f"{one['stage']:<10} {one['state'].lower():<10} {started:<19}  {seconds:>8}  {one['attempt']:>7}  "
        lines.append(f"{row}{one['last_line']}".rstrip())
    return [*lines, f"training   {_training_line(view['training'])}"] if view["training"] else lines


def _stage(
    client: Client, run: Any, stage: str, tasks: StageTasks, pod: Pod | None, stored: Mapping[str, str]
) -> dict[str, Any]:
    is_running = tasks.state == "RUNNING"
    until = tasks.ended or (datetime.now(UTC) if is_running else None)
    said = last_line(client.kubernetes.lines(run.run_id, stage, LINES)) if is_running else stored.get(stage, "")
    return {
        "stage": stage,
        "state": tasks.state,
        "started": tasks.started and tasks.started.isoformat(timespec="seconds"),
        "seconds": round((until - tasks.started).total_seconds()) if until and tasks.started else None,
        "attempt": max(tasks.attempt, pod.attempt if pod else 1),
        "last_line": one_line(said, limit=500),
    }


def _stored_lines(client: Client, run: Any) -> dict[str, str]:
    """The last line of each stage's newest stored log."""
    with suppress(QuillflowError):
        ended = [(stage_of(one.task), one.lines[-1]) for one in logs(client, run) if one.lines]
        return {stage: line.removeprefix(f"{stage:<10} ") for stage, line in ended}
    return {}


def _training(client: Client, run: Any) -> dict[str, Any] | None:
    """The newest progress.json of the run's checkpoints, with its age in seconds."""
    with suppress(QuillflowError):
        place = place_of(client, run)
        keys = [listed.key for listed in place.store.list(place.key) if _LIVE.search(listed.key)]
        found = [read_live(place.store.uri(key).rpartition("/")[0]) for key in keys]
        newest = max((live for live in found if live), key=lambda live: live["saved_at"], default=None)
        if newest:
            age = datetime.now(UTC) - datetime.fromisoformat(newest["saved_at"])
            return {**newest, "age": max(round(age.total_seconds()), 0)}
    return None


def _training_line(training: Mapping[str, Any]) -> str:
    total = f" of {training['train_steps']:,}" if training["train_steps"] else ""
    held_out = training["validation_loss_nats"]
    parts = [
        f"step {training['train_step']:,}{total}",
        "" if training["train_loss_nats"] is None else f"loss {training['train_loss_nats']:.4f} nats",
        "" if held_out is None else f"held-out {held_out:.4f} nats",
        f"{training['tokens_per_second']:,.0f} tokens/s" if training["tokens_per_second"] else "",
        "" if training["seconds_left"] is None else f"{log.duration(training['seconds_left'])} left",
    ]
    return (
        f"{', '.join(part for part in parts if part)}; as of the newest checkpoint, {log.duration(training['age'])} ago"
    )
