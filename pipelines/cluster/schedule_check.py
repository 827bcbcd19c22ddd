"""Whether an environment's schedules have succeeded lately: what a monitor asks."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from components.artifacts.errors import ArtifactError, QuillflowError
from pipelines.build.environment import Environment
from pipelines.cluster.client import Client
from pipelines.cluster.runs import GOOD, state_of
from pipelines.cluster.schedules import marked
from pipelines.cluster.submitting import find_experiment


class OverdueError(QuillflowError):
    """A schedule has had no success for too long."""


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A schedule, its last success, and since when there has been none: that, or when it was created."""

    name: str
    enabled: bool
    succeeded: datetime | None
    since: datetime

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        last = self.succeeded.isoformat(timespec="seconds") if self.succeeded else None
        return {"name": self.name, "enabled": self.enabled, "succeeded": last}


def look_at(client: Client, environment: Environment) -> list[Checked]:
    """The environment's schedules on the cluster, by name.

    Raises:
        ArtifactError: there is none.
    """
    there = {
        one.recurring_run_id: (name, one) for name, found in marked(client, environment.name).items() for one in found
    }
    if not there:
        raise ArtifactError(f"no schedule of {environment.name} is on the cluster; quillflow schedule apply makes them")
    last = _last_successes(client, set(there))
    return [
        Checked(
            name=name,
            enabled=str(one.status or one.mode) in {"ENABLED", "ENABLE"},
            succeeded=last.get(number),
            since=last.get(number) or one.created_at,
        )
        for number, (name, one) in sorted(there.items(), key=lambda entry: entry[1][0])
    ]


def _last_successes(client: Client, wanted: set[str]) -> dict[str, datetime]:
    """When the last success of each recurring run ended; runs are read, newest first, until all have one."""
    last: dict[str, datetime] = {}
    for run in client.pages(
        "the list of runs",
        client.runs.run_service_list_runs,
        "runs",
        experiment_id=find_experiment(client),
        sort_by="created_at desc",
        **client.namespace,
    ):
        if run.recurring_run_id in wanted and state_of(run) in GOOD:
            last.setdefault(run.recurring_run_id, run.finished_at or run.created_at)
            if len(last) == len(wanted):
                break
    return last


def as_lines(checked: list[Checked]) -> list[str]:
    """One line per schedule."""
    return [
        f"{one.name:<20} "
        + ("" if one.enabled else "paused; ")
        + (
            f"last success {_utc(one.succeeded)}"
            if one.succeeded
            else f"no success since it was created, {_utc(one.since)}"
        )
        for one in checked
    ]


def refuse_overdue(checked: list[Checked], within: timedelta, text: str) -> None:
    """Fail if an enabled schedule has had no success for longer than `within`, which the user wrote as `text`.

    Raises:
        OverdueError: there is one; which, and since when.
    """
    overdue = [one for one in checked if one.enabled and datetime.now(UTC) - one.since > within]
    if overdue:
        found = ", ".join(f"{one.name} (since {_utc(one.since)})" for one in overdue)
        raise OverdueError(f"no success within {text}: {found}; quillflow runs ls shows what its runs came to")


def _utc(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
