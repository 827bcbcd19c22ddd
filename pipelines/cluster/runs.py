"""Runs on a cluster: listed and awaited."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from components.artifacts.errors import QuillflowError
from components.artifacts.storage.failures import one_line
from components.command import log
from pipelines.cluster.client import AwayError, Client
from pipelines.cluster.kubernetes import KUBEFLOW
from pipelines.cluster.logs import last_error
from pipelines.cluster.pods import last, pods
from pipelines.cluster.submitting import find_experiment
from pipelines.cluster.tasks import raise_memory, stages_in

UNCHANGED = "unchanged: nothing was trained"
GONE = "its workflow no longer exists"
ENDED = {"SUCCEEDED", "SKIPPED", "FAILED", "CANCELED"}
GOOD = {"SUCCEEDED", "SKIPPED"}
POLL_SECONDS = 10.0
POLLS_UNTIL_HINT = 12
"""After how many polls without a change a command for details is shown, if Kubernetes can't be asked from here."""
PATIENCE_SECONDS = 900.0
"""How long to wait for a cluster that does not respond: an upgrade takes minutes, training takes hours."""


class FailedRunError(QuillflowError):
    """A run ended without success."""


def listed(client: Client, limit: int) -> Iterator[dict[str, Any]]:
    """The newest runs of the environment's experiment, at most `limit`; none if it does not exist."""
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
        yield {**as_dict(run), "doing": _of_listed(client, run)}


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
    """A run's state. A run whose Workflow is gone stays CANCELING forever; `cancel` archives it, which ends it."""
    if run.state == "CANCELING" and run.storage_state == "ARCHIVED":
        return "CANCELED"
    return run.state or "PENDING"


def as_table(runs: list[dict[str, Any]]) -> list[str]:
    """One line per run: state, start, duration, id, name, and what it is doing."""
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


def polled(client: Client, run: str) -> Iterator[Any]:
    """The run as the API has it, every POLL_SECONDS until it has ended; None while the cluster does not respond.

    Raises:
        ClusterError: the cluster did not answer for PATIENCE_SECONDS.
    """
    heard = time.monotonic()
    while True:
        try:
            now = get(client, run)
            heard = time.monotonic()
            yield now
            if state_of(now) in ENDED:
                return
        except AwayError as error:
            if time.monotonic() - heard > PATIENCE_SECONDS:
                raise
            log.warning(f"{error} (still waiting)")
            yield None
        time.sleep(POLL_SECONDS)


def wait(client: Client, run: str, timeout: float | None = None) -> dict[str, Any]:
    """Wait until a run has ended; return its description.

    Raises:
        FailedRunError: it failed, or did not end within `timeout` seconds, or never will; which stage, and why.
        ClusterError: the cluster did not answer for PATIENCE_SECONDS.
    """
    deadline = time.monotonic() + timeout if timeout is not None else None
    reported, polls = "", 0
    for now in polled(client, run):
        if now is not None and state_of(now) in ENDED:
            check_succeeded(client, now)
            return as_dict(now)
        if now is not None:
            busy, polls = doing(client, now), polls + 1
            _give_up_where_waiting_is_vain(client, now, busy)
            if busy != reported:
                log.info(f"Run {run} is {state_of(now).lower()}: {busy}")
                reported, polls = busy, 0
            if polls == POLLS_UNTIL_HINT and client.kubernetes.workflow(run) is None:
                log.info(f"To see what its pods wait for: {_kubectl_pods(client, run)}")
        if deadline is not None and time.monotonic() > deadline:
            break
    raise FailedRunError(f"run {run} has not ended after {log.duration(timeout or 0)}; it continues")


def check_succeeded(client: Client, run: Any) -> None:
    """Check how a run has ended.

    Raises:
        FailedRunError: without success; which stage failed, and why.
    """
    if state_of(run) not in GOOD:
        raise FailedRunError(failure(client, run))


def _give_up_where_waiting_is_vain(client: Client, run: Any, busy: str) -> None:
    name, state = run.run_id, state_of(run).lower()
    if busy == GONE:
        raise FailedRunError(
            f"run {name}: {GONE}, so it would be {state} forever; quillflow runs cancel {name} ends it, "
            f"and quillflow rerun train --from {name} resumes its training"
        )
    refused = next((pod for pod in pods(client.kubernetes.workflow(name)) if pod.is_refused), None)
    if refused:
        raise FailedRunError(
            f"run {name}: the cluster rejects {refused.stage}'s pod, and no retry will help: "
            f"{one_line(refused.message, limit=500)}; quillflow runs cancel {name} ends it"
        )


def _of_listed(client: Client, run: Any) -> str:
    """As `doing_or_done`, for a run in a list, which is without its tasks."""
    state = state_of(run)
    matters = state not in ENDED or (state == "SUCCEEDED" and client.cluster.champion)
    return doing_or_done(client, get(client, run.run_id)) if matters else ""


def doing_or_done(client: Client, run: Any) -> str:
    """What a run is doing, or that it ended after ingest because nothing had changed."""
    state = state_of(run)
    if state not in ENDED:
        return doing(client, run)
    return UNCHANGED if state == "SUCCEEDED" and client.cluster.champion and _skipped(run) else ""


def _skipped(run: Any) -> bool:
    """Whether a run that succeeded has trained nothing, because the champion was made from the same text."""
    done = stages_in(run, "SUCCEEDED")
    return "unchanged" in done and "vectorize" not in done


def doing(client: Client, run: Any) -> str:
    """What a run is doing: the running stages, and what pods wait for, as far as known."""
    workflow = client.kubernetes.workflow(run.run_id)
    if workflow == {} and state_of(get(client, run.run_id)) not in ENDED:  # it may have ended meanwhile
        return GONE
    there = pods(workflow)
    reported = []
    for stage, attempt in stages_in(run, "RUNNING").items():
        pod = last(there, stage)
        number = max(attempt, pod.attempt if pod else 1)
        reported.append(f"{stage}{f', attempt {number}' if number > 1 else ''}")
        if pod and pod.phase == "Pending" and pod.message:
            reported[-1] += f", waits: {one_line(pod.message, limit=500)}"
    idle = "between stages" if stages_in(run, "SUCCEEDED") else "no stage yet"
    return "; ".join(reported) or idle


def _kubectl_pods(client: Client, run: str) -> str:
    return f"kubectl describe pods -n {client.cluster.namespace or KUBEFLOW} -l pipeline/runid={run}"


def failure(client: Client, run: Any) -> str:
    """Which stage of a run failed and why, in one line, from its pod, its log or Kubeflow."""
    failed = next(iter(stages_in(run, "FAILED")), "")
    pod = last(pods(client.kubernetes.workflow(run.run_id)), failed)
    said = ""
    if pod and pod.is_out_of_memory:
        said = f"out of memory (OOMKilled); {raise_memory(failed)}"
    elif failed:
        said = last_error(client, run, failed) or (pod.message if pod else "")
    if not said and run.error:
        said = run.error.message or ""
    attempt = f" in attempt {pod.attempt}" if pod and pod.attempt > 1 else ""
    what = f"{failed} failed{attempt}" if failed else f"it is {state_of(run).lower()}"
    message = f": {one_line(said, limit=500)}" if said else ""
    return f"run {run.run_id}: {what}{message}; quillflow runs logs {run.run_id} shows what was written"
