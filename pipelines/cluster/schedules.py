"""Schedules on a cluster: makes recurring runs match files, lists and removes them.

A recurring run can't be changed, so a new one is created before the old one is removed: there is always one.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import kfp_server_api

from components.artifacts.as_json import as_json
from components.artifacts.errors import ArtifactError, UsageError
from pipelines.build.environment import Environment
from pipelines.cluster.client import Client, MissingError
from pipelines.cluster.schedule_files import Schedule
from pipelines.cluster.submitting import Package, bring, experiment, find_experiment, package, runtime_config

_MARK = re.compile(r"quillflow schedule (?P<name>\S+) of (?P<environment>\S+), (?P<digest>[0-9a-f]{16})$")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A schedule with its compiled pipeline, its arguments, and a digest of all of it."""

    schedule: Schedule
    package: Package
    arguments: Mapping[str, Any]
    digest: str


def apply(client: Client, environment: Environment, schedules: Sequence[Schedule]) -> dict[str, str]:
    """Make the environment's recurring runs match `schedules`; return what was done, by name.

    Only recurring runs in its experiment that carry this command's mark for the environment are touched.

    Raises:
        ClusterError: the cluster refuses or can't be reached; what was done before stays, and applying again continues.
        UsageError: a schedule's settings conflict with the environment.
    """
    for schedule in schedules:
        environment.check_whole_run(schedule.stages(environment))
        if schedule.on_unchanged == "skip" and not environment.cluster.champion:
            raise UsageError(
                f"{schedule.name}: on_unchanged: skip compares with a champion, and the environment {environment.name} "
                "has none; set cluster.champion, or leave it out"
            )
    compiled = package("text-generation", environment)
    wanted = [_wanted(client, environment, compiled, schedule) for schedule in schedules]
    there = marked(client, environment.name)
    done = {}
    for one in wanted:
        old = there.pop(one.schedule.name, [])
        same = next((recurring for recurring in old if _is(recurring, one)), None)
        if same is None:
            _create(client, environment.name, one)
        for recurring in old:
            if recurring is not same:
                _delete(client, recurring)
        done[one.schedule.name] = "unchanged" if same is not None else "changed" if old else "created"
    for name, old in there.items():
        for recurring in old:
            _delete(client, recurring)
        done[name] = "removed"
    return done


def listed(client: Client, environment: Environment) -> list[dict[str, Any]]:
    """The environment's recurring runs that carry this command's mark, by name."""
    return [
        {
            "name": name,
            "cron": recurring.trigger.cron_schedule.cron,
            "state": str(recurring.status or recurring.mode).lower(),
            "source": (recurring.runtime_config.parameters or {}).get("source"),
            "recurring_run": recurring.recurring_run_id,
        }
        for name, found in sorted(marked(client, environment.name).items())
        for recurring in found
    ]


def as_table(schedules: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line per schedule."""
    rows = [f"{one['name']:<20} {one['cron']:<20} {one['state']:<9} {one['source']}" for one in schedules]
    return [f"{'name':<20} {'cron':<20} {'state':<9} source", *rows] if rows else ["no schedules"]


def remove(client: Client, environment: Environment, name: str) -> None:
    """Remove a schedule from the cluster; runs that it has started continue.

    Raises:
        ArtifactError: there is none of this name.
    """
    there = marked(client, environment.name)
    if name not in there:
        raise ArtifactError(f"no schedule {name} of {environment.name} is on the cluster; there is {_or_none(there)}")
    for recurring in there[name]:
        _delete(client, recurring)


def _or_none(names: Mapping[str, Any]) -> str:
    return ", ".join(sorted(names)) or "none"


def _wanted(client: Client, environment: Environment, compiled: Package, schedule: Schedule) -> Wanted:
    arguments = schedule.arguments(environment)
    cluster = client.cluster
    whole = [
        [schedule.cron, schedule.enabled, compiled.version, arguments],
        [cluster.experiment, cluster.pipeline_root, cluster.service_account],
    ]
    digest = hashlib.sha256(as_json(whole, sort_keys=True).encode()).hexdigest()[:16]
    return Wanted(schedule=schedule, package=compiled, arguments=arguments, digest=digest)


def marked(client: Client, environment: str) -> dict[str, list[Any]]:
    """The recurring runs in the environment's experiment with its mark, by their schedule's name."""
    there: dict[str, list[Any]] = {}
    known = find_experiment(client)
    if known is None:
        return there
    for recurring in client.pages(
        "the list of recurring runs",
        client.recurring.recurring_run_service_list_recurring_runs,
        "recurring_runs",
        experiment_id=known,
        **client.namespace,
    ):
        mark = _MARK.search(recurring.description or "")
        if mark and mark["environment"] == environment:
            there.setdefault(mark["name"], []).append(recurring)
    return there


def _is(recurring: Any, wanted: Wanted) -> bool:
    """Whether a recurring run matches its file and nobody has paused or resumed it manually."""
    mark = _MARK.search(recurring.description)
    enabled = str(recurring.status or recurring.mode) in {"ENABLED", "ENABLE"}
    return bool(mark and mark["digest"] == wanted.digest) and enabled == wanted.schedule.enabled


def _create(client: Client, environment: str, wanted: Wanted) -> None:
    schedule = wanted.schedule
    text = f"Recipe {schedule.recipe}. Manual changes are undone: quillflow schedule {schedule.name} of "
    mode = kfp_server_api.RecurringRunMode
    client.write(
        f"the schedule {schedule.name}",
        client.recurring.recurring_run_service_create_recurring_run,
        kfp_server_api.V2beta1RecurringRun(
            display_name=schedule.name,
            description=f"{text}{environment}, {wanted.digest}",
            experiment_id=experiment(client),
            pipeline_version_reference=bring(client, wanted.package),
            runtime_config=runtime_config(client, wanted.arguments),
            service_account=client.cluster.service_account or None,
            trigger=kfp_server_api.V2beta1Trigger(cron_schedule=kfp_server_api.V2beta1CronSchedule(cron=schedule.cron)),
            mode=mode.ENABLE if schedule.enabled else mode.DISABLE,
            max_concurrency="1",  # no run starts while the previous one continues
            no_catchup=True,  # runs missed while the cluster was down are not caught up
        ),
    )


def _delete(client: Client, recurring: Any) -> None:
    """Remove a recurring run, but not its Workflows, so that runs it has started continue."""
    with suppress(MissingError):  # another process has just removed it
        client.write(
            f"the schedule {recurring.display_name}",
            client.recurring.recurring_run_service_delete_recurring_run,
            recurring.recurring_run_id,
            propagation_policy=kfp_server_api.V2beta1DeletePropagationPolicy.ORPHAN,
        )
