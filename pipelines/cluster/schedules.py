"""Schedules: files that say what runs when, and making a cluster's recurring runs match them.

A recurring run can't be changed, so a new one is made before the old one goes: at no time is there none.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kfp_server_api
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from components.artifacts.errors import ArtifactError, UsageError
from components.command.settings import Settings, nearest
from pipelines.arguments import plain, refuse_local_files
from pipelines.cache import suite_version
from pipelines.cluster.client import Client, MissingError
from pipelines.cluster.submitting import Package, bring, experiment, find_experiment, package, runtime_config
from pipelines.environment import Environment
from pipelines.settings import STAGES, checked, recipe

EACH_TIME = "[[ScheduledTime]]"
"""The controller puts a run's time here. As the digest of the source, which nobody knows beforehand, it keeps the
cache from answering for ingest; the later stages then have a new corpus before them, so they run too."""
_MARK = re.compile(r"quillflow schedule (?P<name>\S+) of (?P<environment>\S+), (?P<digest>[0-9a-f]{16})$")
_CRON_FIELDS = (("seconds", 59), ("minutes", 59), ("hours", 23), ("day", 31), ("month", 12), ("weekday", 7))


class Schedule(BaseModel):
    """A schedule as its file has it; `cron` has six fields, seconds first, in the time zone of the cluster."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str
    cron: str
    environment: str
    recipe: str = "default"
    source: str = ""
    settings: dict[str, dict[str, Any]] = {}
    enabled: bool = True

    @field_validator("name")
    @classmethod
    def _is_a_name(cls, value: str) -> str:
        if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", value):
            raise ValueError("must be lowercase letters, digits and hyphens")
        return value

    @field_validator("cron")
    @classmethod
    def _is_cron(cls, value: str) -> str:
        fields = value.split()
        if len(fields) != len(_CRON_FIELDS):
            raise ValueError("must have six fields, seconds first, such as '0 30 2 * * *' for half past two each night")
        for field, (name, highest) in zip(fields, _CRON_FIELDS, strict=True):
            numbers = [int(number) for number in re.findall(r"\d+", field)]
            if not re.fullmatch(r"[\d*/,?A-Za-z-]+", field) or max(numbers, default=0) > highest:
                raise ValueError(f"{name} can't be {field!r}")
        return value

    @field_validator("settings")
    @classmethod
    def _are_of_stages(cls, value: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for stage in value:
            if stage not in STAGES:
                raise ValueError(f"no stage {stage!r}; {nearest(stage, STAGES)}")
        return value

    def stages(self) -> dict[str, Settings]:
        """All stages' settings: the recipe's with the file's on top."""
        return checked(recipe(self.recipe), self.settings)

    def arguments(self) -> dict[str, Any]:
        """What the pipeline is called with each time."""
        settings = self.stages()
        source = self.source or recipe(self.recipe).source
        if not source:
            raise UsageError(f"recipe {self.recipe} has no text of its own; name one as source")
        refuse_local_files(source, settings)
        return {
            "source": source,
            **{stage: plain(settings[stage]) for stage in settings},
            "source_digest": EACH_TIME,
            "prompts_digest": EACH_TIME,
            "version": suite_version(),
        }


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A schedule and all that follows from it: the pipeline's package, the arguments, and a digest of the whole."""

    schedule: Schedule
    package: Package
    arguments: Mapping[str, Any]
    digest: str


def read(directory: Path) -> list[Schedule]:
    """The schedules that the `*.yaml` files of a directory hold, one a file.

    Raises:
        UsageError: a file can't be read or is wrong, or two have one name; it names file and field.
    """
    if not directory.is_dir():
        raise UsageError(f"{directory}: no such directory; schedules are files there, one each")
    found: dict[tuple[str, str], Path] = {}
    schedules = []
    for path in sorted(directory.glob("*.yaml")):
        schedule = _read(path)
        key = (schedule.environment, schedule.name)
        if key in found:
            raise UsageError(f"{path}: name: {schedule.name} is that of {found[key]} too; choose another")
        found[key] = path
        schedules.append(schedule)
    return schedules


def _read(path: Path) -> Schedule:
    try:
        schedule = Schedule.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        schedule.arguments()
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path}: can't be read as YAML ({' '.join(str(error).split())})") from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the whole"
        raise UsageError(f"{path}: {field}: {first['msg'].removeprefix('Value error, ').lower()}") from None
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None
    return schedule


def apply(client: Client, environment: Environment, schedules: Sequence[Schedule]) -> dict[str, str]:
    """Make the environment's recurring runs match `schedules`; by name, what was done.

    Only recurring runs that carry this command's mark for the environment are touched, in its experiment.

    Raises:
        ClusterError: the cluster refuses, or can't be reached; what was done before stays, and applying again goes on.
        UsageError: a schedule's settings do not go with the environment.
    """
    for schedule in schedules:
        environment.check(schedule.stages())
    compiled = package("text-generation", environment)
    wanted = [_wanted(client, compiled, schedule) for schedule in schedules]
    there = _marked(client, environment.name)
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
        for name, found in sorted(_marked(client, environment.name).items())
        for recurring in found
    ]


def as_table(schedules: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line a schedule."""
    rows = [f"{one['name']:<20} {one['cron']:<20} {one['state']:<9} {one['source']}" for one in schedules]
    return [f"{'name':<20} {'cron':<20} {'state':<9} source", *rows] if rows else ["no schedules"]


def remove(client: Client, environment: Environment, name: str) -> None:
    """Remove a schedule from the cluster; runs that it has started go on.

    Raises:
        ArtifactError: there is none of this name.
    """
    there = _marked(client, environment.name)
    if name not in there:
        raise ArtifactError(f"no schedule {name} of {environment.name} is on the cluster; there is {_or_none(there)}")
    for recurring in there[name]:
        _delete(client, recurring)


def _or_none(names: Mapping[str, Any]) -> str:
    return ", ".join(sorted(names)) or "none"


def _wanted(client: Client, compiled: Package, schedule: Schedule) -> Wanted:
    arguments = schedule.arguments()
    cluster = client.cluster
    whole = [
        [schedule.cron, schedule.enabled, compiled.version, arguments],
        [cluster.experiment, cluster.pipeline_root, cluster.service_account],
    ]
    digest = hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:16]
    return Wanted(schedule=schedule, package=compiled, arguments=arguments, digest=digest)


def _marked(client: Client, environment: str) -> dict[str, list[Any]]:
    """The recurring runs in the environment's experiment that carry its mark, by their schedule's name."""
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
    """Whether a recurring run is what is wanted, and nobody has paused or resumed it by hand."""
    mark = _MARK.search(recurring.description)
    enabled = str(recurring.status or recurring.mode) in {"ENABLED", "ENABLE"}
    return bool(mark and mark["digest"] == wanted.digest) and enabled == wanted.schedule.enabled


def _create(client: Client, environment: str, wanted: Wanted) -> None:
    schedule = wanted.schedule
    text = f"Recipe {schedule.recipe}. Changes by hand are undone: quillflow schedule {schedule.name} of "
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
            max_concurrency="1",  # no run begins while the one before it goes on
            no_catchup=True,  # what was missed while the cluster was away is not made up for
        ),
    )


def _delete(client: Client, recurring: Any) -> None:
    with suppress(MissingError):  # somebody has just removed it
        client.write(
            f"the schedule {recurring.display_name}",
            client.recurring.recurring_run_service_delete_recurring_run,
            recurring.recurring_run_id,
        )
