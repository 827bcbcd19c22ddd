"""Runs on a cluster: listed, awaited, and their stages' logs read."""

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from components.artifacts import storage
from components.artifacts.errors import QuillflowError, UsageError
from components.artifacts.storage import Place
from components.artifacts.storage.failures import one_line
from components.command import log
from components.command.printing import without_colours
from pipelines import artifacts
from pipelines.cluster.client import AwayError, Client
from pipelines.cluster.submitting import find_experiment
from pipelines.engine import STAGES

ENDED = {"SUCCEEDED", "SKIPPED", "FAILED", "CANCELED"}
GOOD = {"SUCCEEDED", "SKIPPED"}
POLL_SECONDS = 10.0
PATIENCE_SECONDS = 900.0
"""For how long a run is awaited while its cluster does not answer: an upgrade takes minutes, training hours."""
_LOG = re.compile(r"(?P<task>[^/]+)/[^/]+/executor-logs$")


class FailedRunError(QuillflowError):
    """A run ended, but not well."""


@dataclass(frozen=True, kw_only=True)
class Log:
    """What a task wrote: the task's name, when it was stored in seconds since 1970, and the lines."""

    task: str
    stored: float
    lines: list[str]


def listed(client: Client, limit: int) -> Iterator[dict[str, Any]]:
    """The newest runs of the environment's experiment, at most `limit`; none where it does not exist."""
    experiment = find_experiment(client)
    if experiment is None:
        return
    found = client.pages(
        "the list of runs",
        client.runs.run_service_list_runs,
        "runs",
        experiment_id=experiment,
        sort_by="created_at desc",
        **client.namespace,
    )
    for _, run in zip(range(limit), found, strict=False):
        yield as_dict(run)


def as_dict(run: Any) -> dict[str, Any]:
    """What `--json` prints of a run; times as ISO 8601 and in seconds."""
    ended = run.finished_at if run.state in ENDED else datetime.now(UTC)
    return {
        "run": run.run_id,
        "name": run.display_name,
        "state": run.state or "PENDING",
        "created": run.created_at.isoformat(timespec="seconds"),
        "seconds": round((ended - run.created_at).total_seconds()) if ended else None,
    }


def as_table(runs: list[dict[str, Any]]) -> list[str]:
    """One line a run: state, when, how long, id, name."""
    rows = [
        f"{run['state'].lower():<10} {run['created'].replace('T', ' ')[:19]}  {_duration(run['seconds']):>8}  "
        f"{run['run']}  {run['name']}"
        for run in runs
    ]
    return ["state      created (UTC)            took  run", *rows] if rows else ["no runs"]


def _duration(seconds: int | None) -> str:
    return "" if seconds is None else log.duration(seconds)


def get(client: Client, run: str) -> Any:
    """A run as the API has it.

    Raises:
        MissingError: there is none of this id.
    """
    return client.read(f"run {run}", client.runs.run_service_get_run, run)


def wait(client: Client, run: str, timeout: float | None = None) -> dict[str, Any]:
    """Wait until a run has ended; what is to be said of it.

    Raises:
        FailedRunError: it did not end well, or not within `timeout` seconds; which task failed, and its message.
        ClusterError: the cluster did not answer for PATIENCE_SECONDS.
    """
    deadline = time.monotonic() + timeout if timeout is not None else None
    heard, told = time.monotonic(), ""
    while True:
        try:
            now = get(client, run)
            heard = time.monotonic()
        except AwayError as error:
            if time.monotonic() - heard > PATIENCE_SECONDS:
                raise
            log.warning(f"{error} (still waiting)")
        else:
            if now.state in ENDED:
                break
            doing = f"{now.state or 'PENDING'}: {', '.join(_running(now)) or 'no stage yet'}".lower()
            if doing != told:
                log.info(f"Run {run} is {doing}")
                told = doing
        if deadline is not None and time.monotonic() > deadline:
            raise FailedRunError(f"run {run} has not ended after {log.duration(timeout or 0)}; it goes on")
        time.sleep(POLL_SECONDS)
    if now.state not in GOOD:
        raise FailedRunError(failure(client, now))
    return as_dict(now)


def failure(client: Client, run: Any) -> str:
    """Which task of a run failed and what it said, in one line: in its log, where that can be had, or to Kubeflow."""
    failed = [task for task in _tasks(run) if task.state == "FAILED"]
    # Around a stage's task stand others of Kubeflow's own, "root" and "executor" among them, which fail with it.
    failed.sort(key=lambda task: not _is_of(task.display_name, STAGES))
    said = [each.error.message for each in [*failed, run] if each.error and each.error.message]
    if failed and (error := _last_error(client, run, failed[0].display_name)):
        said = [error]
    what = f"{failed[0].display_name} failed" if failed else f"it is {str(run.state).lower()}"
    message = f": {one_line(said[0], limit=500)}" if said else ""
    return f"run {run.run_id}: {what}{message}; quillflow runs logs {run.run_id} shows what was written"


def logs(client: Client, run: str, stage: str = "") -> list[Log]:
    """What a run's tasks wrote, in the order it was stored; a task's log is stored when the task has ended.

    Kubeflow's API has no logs: they are objects beside the task's artifacts.

    Raises:
        UsageError: the environment does not name the place of artifacts.
        FailedRunError: none is stored; it says how to see those of pods that run.
    """
    return _logs_of(client, get(client, run), stage)


def _logs_of(client: Client, run: Any, stage: str) -> list[Log]:
    place = place_of(client, run)
    found = [(listed, match) for listed in place.store.list(place.key) if (match := _LOG.search(listed.key))]
    chosen = [(listed, match["task"]) for listed, match in found if _is_of(match["task"], [stage])]
    if not chosen:
        pods = [task.pod_name for task in _tasks(run) if task.pod_name and _is_of(task.display_name, [stage])]
        pod = pods[-1] if pods else f"-l pipeline/runid={run.run_id}"
        of = f" of {stage}" if stage else ""
        raise FailedRunError(
            f"run {run.run_id}: no log{of} is stored below {place}, which happens when a task ends; while it runs: "
            f"kubectl logs -n {client.cluster.namespace or 'kubeflow'} {pod} -c main"
        )
    logs = []
    for listed, task in sorted(chosen, key=lambda pair: pair[0].updated):
        data, _ = place.store.read(listed.key) or (b"", "")
        lines = [
            shown
            for line in data.decode(errors="replace").removesuffix("\n").split("\n")
            for shown in _for_a_person(line)
        ]
        logs.append(Log(task=task, stored=listed.updated, lines=lines))
    return logs


def _last_error(client: Client, run: Any, task: str) -> str:
    """What a task said last of what stopped it; empty where its log can't be had from here or says nothing."""
    lines: list[str] = []
    with suppress(QuillflowError):
        lines = [line for log in _logs_of(client, run, task) for line in log.lines]
    return next((error for line in reversed(lines) if (error := line.partition(" error: ")[2])), "")


def place_of(client: Client, run: Any) -> Place:
    """Where a run's artifacts are.

    Raises:
        UsageError: neither the run nor the environment says where artifacts go.
    """
    root = (run.runtime_config and run.runtime_config.pipeline_root) or client.cluster.pipeline_root
    if not root:
        raise UsageError("the environment names no pipeline_root, so nobody here knows where artifacts are")
    places = [storage.place_of(uri) for uri in artifacts.run_uris(run.run_id, root)]
    return next((place for place in places if next(place.store.list(place.key), None)), places[0])


def _tasks(run: Any) -> list[Any]:
    return (run.run_details and run.run_details.task_details) or []


def _running(run: Any) -> list[str]:
    running = [task.display_name for task in _tasks(run) if task.state == "RUNNING"]
    return [stage for stage in STAGES if any(_is_of(task, [stage]) for task in running)]


def _is_of(task: str, stages: Sequence[str]) -> bool:
    """Whether a task is one of these stages', of which sample may have several: sample-shard, sample-gather."""
    return any(task.startswith(stage) for stage in stages)


def _for_a_person(line: str) -> list[str]:
    """A stage's own line, which it writes as JSON on a cluster, as the lines that a person reads."""
    try:
        entry: Any = json.loads(line) if line.startswith('{"quillflow"') else None
    except ValueError:
        entry = None
    if not isinstance(entry, Mapping) or "message" not in entry:
        return [without_colours(line)]
    return f"{entry['quillflow']:<10} {entry['message']}".replace("\n", f"\n{'':<11}").split("\n")
