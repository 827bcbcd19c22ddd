"""Runs on a cluster: listed, awaited, and ended."""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from components.artifacts.errors import QuillflowError
from components.artifacts.storage.failures import one_line
from components.command import log
from pipelines.cluster.client import AwayError, Client, ClusterError
from pipelines.cluster.logs import last_error
from pipelines.cluster.submitting import find_experiment
from pipelines.cluster.tasks import stages_in

GONE = "its workflow is gone"
ENDED = {"SUCCEEDED", "SKIPPED", "FAILED", "CANCELED"}
GOOD = {"SUCCEEDED", "SKIPPED"}
POLL_SECONDS = 10.0
PATIENCE_SECONDS = 900.0
"""For how long a run is awaited while its cluster does not answer: an upgrade takes minutes, training hours."""


# What Kubeflow says where it is asked to end such a run.
_NO_WORKFLOW = re.compile(r"workflow.* not found")


class FailedRunError(QuillflowError):
    """A run ended, but not well."""


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
        state = state_of(run)
        yield {**as_dict(run), "doing": "" if state in ENDED else GONE if _is_gone(client, run) else ""}


def as_dict(run: Any) -> dict[str, Any]:
    """What `--json` prints of a run; times as ISO 8601 and in seconds."""
    state = state_of(run)
    ended = run.finished_at if state in ENDED else datetime.now(UTC)
    return {
        "run": run.run_id,
        "name": run.display_name,
        "state": state,
        "created": run.created_at.isoformat(timespec="seconds"),
        "seconds": round((ended - run.created_at).total_seconds()) if ended else None,
    }


def state_of(run: Any) -> str:
    """A run's state. One whose Workflow was gone stays CANCELING for good; `cancel` archives it, which is its end."""
    if run.state == "CANCELING" and run.storage_state == "ARCHIVED":
        return "CANCELED"
    return run.state or "PENDING"


def as_table(runs: list[dict[str, Any]]) -> list[str]:
    """One line a run: state, when, how long, id, name, and what it does now."""
    rows = [
        f"{run['state'].lower():<10} {run['created'].replace('T', ' ')[:19]}  {_duration(run['seconds']):>8}  "
        f"{run['run']}  {run['name']}{run['doing'] and '  '}{run['doing']}"
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
        FailedRunError: it did not end well, or not within `timeout` seconds, or never will; which stage, and why.
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
            if (state := state_of(now)) in ENDED:
                break
            if _is_gone(client, now):
                raise FailedRunError(
                    f"run {run}: {GONE}, so it would be {state.lower()} for ever; quillflow runs cancel {run} ends it, "
                    f"and quillflow rerun train --from {run} takes its training up"
                )
            if (doing := _doing(now)) != told:
                log.info(f"Run {run} is {doing}")
                told = doing
        if deadline is not None and time.monotonic() > deadline:
            raise FailedRunError(f"run {run} has not ended after {log.duration(timeout or 0)}; it goes on")
        time.sleep(POLL_SECONDS)
    if state not in GOOD:
        raise FailedRunError(failure(client, now))
    return as_dict(now)


def cancel(client: Client, run: str) -> dict[str, Any]:
    """End a run, also one whose Workflow is gone, which Kubeflow itself can't end; what is to be said of it then.

    Raises:
        FailedRunError: it has ended.
    """
    state = state_of(get(client, run))
    if state in ENDED:
        raise FailedRunError(f"run {run} has ended already: {state.lower()}")
    try:
        client.write(f"the end of run {run}", client.runs.run_service_terminate_run, run)
    except ClusterError as error:
        gone = client.kubernetes.workflow(run)
        if gone or (gone is None and not _NO_WORKFLOW.search(str(error))):
            raise
        client.write(f"the archive's run {run}", client.runs.run_service_archive_run, run)
    return as_dict(get(client, run))


def _is_gone(client: Client, run: Any) -> bool:
    """Whether a run that has not ended has no Workflow any more; it may have ended since it was asked for."""
    return client.kubernetes.workflow(run.run_id) == {} and state_of(get(client, run.run_id)) not in ENDED


def _doing(run: Any) -> str:
    """What a run does now: its state and the stages that run; between two there is none."""
    idle = "between stages" if stages_in(run, "SUCCEEDED") else "no stage yet"
    return f"{run.state or 'PENDING'}: {', '.join(stages_in(run, 'RUNNING')) or idle}".lower()


def failure(client: Client, run: Any) -> str:
    """Which stage of a run failed and what it said, in one line: in its log, where that can be had, or to Kubeflow."""
    failed = stages_in(run, "FAILED")
    said = last_error(client, run, failed[0]) if failed else ""
    if not said and run.error:
        said = run.error.message or ""
    what = f"{failed[0]} failed" if failed else f"it is {state_of(run).lower()}"
    message = f": {one_line(said, limit=500)}" if said else ""
    return f"run {run.run_id}: {what}{message}; quillflow runs logs {run.run_id} shows what was written"
