"""A run's settings: a recipe's, with what was set on top, checked for all four stages before anything starts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml

from components.artifacts.errors import UsageError
from components.command.settings import Settings, nearest
from components.command.stage import Stage
from components.ingest.__main__ import STAGE as INGEST
from components.sample.__main__ import STAGE as SAMPLE
from components.train.__main__ import STAGE as TRAIN
from components.vectorize.__main__ import STAGE as VECTORIZE

STAGES: dict[str, Stage] = {stage.name: stage for stage in (INGEST, VECTORIZE, TRAIN, SAMPLE)}
DEFAULT_RECIPE = "default"
MAXIMUM_SETTINGS_BYTES = 100_000
"""A stage's settings travel on a command line, which Linux limits to 128 KiB an argument."""
_RECIPES = resources.files("pipelines") / "recipes"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Named settings: by stage, only those that differ from the stage's defaults."""

    name: str
    description: str
    source: str
    stages: Mapping[str, dict[str, Any]]


def recipe_names() -> list[str]:
    """All recipes there are, sorted."""
    return sorted(entry.name.removesuffix(".yaml") for entry in _RECIPES.iterdir() if entry.name.endswith(".yaml"))


def recipe(name: str) -> Recipe:
    """The recipe of this name.

    Raises:
        UsageError: there is none.
    """
    names = recipe_names()
    if name not in names:
        raise UsageError(f"no recipe {name!r}; {nearest(name, names)}")
    values = yaml.safe_load((_RECIPES / f"{name}.yaml").read_text(encoding="utf-8"))
    return Recipe(
        name=name,
        description=values.pop("description"),
        source=values.pop("source", ""),
        stages={stage: values.get(stage, {}) for stage in STAGES},
    )


def settings_of(chosen: Recipe, assignments: Sequence[str]) -> dict[str, Settings]:
    """Each stage's settings: the recipe's with `stage.name=value` assignments on top.

    Raises:
        UsageError: an assignment is malformed, or a stage, name or value is wrong.
    """
    values: dict[str, dict[str, Any]] = {stage: {} for stage in STAGES}
    for assignment in assignments:
        place, equals, value = assignment.partition("=")
        stage, dot, name = place.partition(".")
        if not equals or not dot:
            raise UsageError(f"--set {assignment}: write it as stage.setting=value, such as train.epochs=3")
        if stage not in STAGES:
            raise UsageError(f"--set {assignment}: no stage {stage!r}; {nearest(stage, STAGES)}")
        values[stage][name] = value
    parsed = {stage: STAGES[stage].settings.parse(values[stage], stage, chosen.stages[stage]) for stage in STAGES}
    for stage, settings in parsed.items():
        if len(json.dumps(settings.model_dump(mode="json"))) > MAXIMUM_SETTINGS_BYTES:
            raise UsageError(
                f"{stage}: its settings take more than {MAXIMUM_SETTINGS_BYTES:,} bytes, more than a pipeline's task "
                "can be given; put long lists into a file (sample.prompts_file) or run the stage's own command"
            )
    return parsed


def as_yaml(chosen: Recipe) -> str:
    """The recipe as YAML."""
    values = {"description": chosen.description, "source": chosen.source, **chosen.stages}
    plain = json.loads(json.dumps({name: value for name, value in values.items() if value}))
    return str(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True))
