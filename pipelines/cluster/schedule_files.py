"""The files of schedules, one per schedule."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from components.artifacts.errors import UsageError
from components.command.settings import Settings, nearest, places_in
from components.steps import STAGES
from pipelines.build.champion import with_champion
from pipelines.build.environment import Cluster, Environment
from pipelines.inputs.arguments import DIGESTS, plain, refuse_for_cluster
from pipelines.inputs.digests import suite_version
from pipelines.inputs.settings import checked, recipe, source_of
from pipelines.inputs.yaml_files import read_yaml

EACH_TIME = "[[ScheduledTime]]"
"""The controller replaces this by a run's time. As the digest of the source, which is not known in advance, it makes
ingest miss the cache; if the corpus is new, the later stages run too."""
_SOME_ENVIRONMENT = Environment(cluster=Cluster(champion="gs://bucket/champion"))
"""What a file is checked with when it is read: its own environment may be another's file."""
_CRON_FIELDS = (("seconds", 59), ("minutes", 59), ("hours", 23), ("day", 31), ("month", 12), ("weekday", 7))


class Schedule(BaseModel):
    """A schedule's file; `cron` has six fields, seconds first, in the cluster's time zone."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str
    cron: str
    environment: str
    recipe: str = "default"
    source: str = ""
    settings: dict[str, dict[str, Any]] = {}
    on_unchanged: Literal["", "train", "skip"] = ""
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

    def stages(self, environment: Environment) -> dict[str, Settings]:
        """All stages' settings: the environment's, on top the recipe's, on top the file's."""
        return with_champion(checked(environment.beneath(recipe(self.recipe)), self.settings), environment)

    def arguments(self, environment: Environment) -> dict[str, Any]:
        """The pipeline's arguments for each run."""
        settings = self.stages(environment)
        source = source_of(recipe(self.recipe), self.source, named="as source")
        refuse_for_cluster(source, settings)
        return {
            "source": source,
            **{stage: plain(settings[stage]) for stage in settings},
            **dict.fromkeys(["source_digest", *DIGESTS], EACH_TIME),
            "on_unchanged": self._on_unchanged(environment, settings),
            "version": suite_version(),
        }

    def _on_unchanged(self, environment: Environment, settings: Mapping[str, Settings]) -> str:
        """What a run does about an unchanged text: the file's choice, else the environment's where that is safe.

        Raises:
            UsageError: a file's `skip` could not notice a change.
        """
        named = [f"{stage}.{name}" for stage in settings for name in places_in(settings[stage])]
        if self.on_unchanged == "skip" and named:
            raise UsageError(
                f"on_unchanged: skip can't notice a change of what {', '.join(named)} names; set it to train"
            )
        return self.on_unchanged or ("train" if named else environment.cluster.on_unchanged)


def read(directory: Path) -> list[Schedule]:
    """The schedules in the `*.yaml` files of a directory, one per file.

    Raises:
        UsageError: a file can't be read or is wrong, or two have the same name; the error names file and field.
    """
    if not directory.is_dir():
        raise UsageError(f"{directory}: no such directory; schedules are files in it")
    found: dict[tuple[str, str], Path] = {}
    schedules = []
    for path in sorted(directory.glob("*.yaml")):
        schedule = _read(path)
        key = (schedule.environment, schedule.name)
        if key in found:
            raise UsageError(f"{path}: name: {schedule.name} is also the name of {found[key]}; choose another")
        found[key] = path
        schedules.append(schedule)
    return schedules


def _read(path: Path) -> Schedule:
    values = read_yaml(str(path), str(path))
    try:
        schedule = Schedule.model_validate(values)
        schedule.arguments(_SOME_ENVIRONMENT)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the whole"
        raise UsageError(f"{path}: {field}: {first['msg'].removeprefix('Value error, ').lower()}") from None
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None
    return schedule
