"""A run's settings: a recipe with changes on top, checked for all four stages before anything starts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from components.artifacts import storage
from components.artifacts.as_json import as_json
from components.artifacts.errors import UsageError
from components.command.settings import Settings, nearest
from components.steps import STAGES
from pipelines.inputs.yaml_files import load_yaml, read_yaml

DEFAULT_RECIPE = "default"
MAXIMUM_SETTINGS_BYTES = 100_000
"""A stage's settings are an argument on a command line, which Linux limits to 128 KiB."""
_RECIPES = resources.files("pipelines") / "recipes"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Named settings, by stage; only those that differ from the stage's defaults."""

    name: str
    description: str
    source: str
    stages: Mapping[str, dict[str, Any]]


def recipe_names() -> list[str]:
    """All recipes that come with Quillflow, sorted."""
    return sorted(entry.name.removesuffix(".yaml") for entry in _RECIPES.iterdir() if entry.name.endswith(".yaml"))


def recipe(name: str) -> Recipe:
    """The recipe of this name, or the one in a YAML file: a name that ends in .yaml or .yml is a path.

    Raises:
        UsageError: there is none, or the file is not a recipe; one line that says where.
    """
    if name.endswith((".yaml", ".yml")):
        values = read_yaml(name, f"recipe {name}")
    elif name in recipe_names():
        values = load_yaml((_RECIPES / f"{name}.yaml").read_text(encoding="utf-8"), f"recipe {name}")
    else:
        raise UsageError(f"no recipe {name!r}; {nearest(name, recipe_names())} (a file's name ends in .yaml)")
    values = _as_mapping(values, name)
    return Recipe(
        name=Path(name).stem,
        description=str(values.get("description", "")),
        source=_one_a_line(values.get("source", "")),
        stages={stage: values.get(stage, {}) for stage in STAGES},
    )


def _as_mapping(values: Any, name: str) -> dict[str, Any]:
    """A recipe's values, checked for their form; the stages check their settings."""
    known = ("description", "source", *STAGES)
    if not isinstance(values, dict):
        raise UsageError(f"recipe {name}: must be a mapping with {', '.join(known)}")
    for key, value in values.items():
        if key not in known:
            raise UsageError(f"recipe {name}: unknown {key!r}; {nearest(str(key), known)}")
        if key in STAGES and not isinstance(value, dict):
            raise UsageError(f"recipe {name}: {key} must be a mapping of its settings, not {value!r}")
    return values


def _one_a_line(value: Any) -> str:
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)


def source_of(chosen: Recipe, given: str | Sequence[str] | None, *, named: str) -> str:
    """The source of a run: the given one or the recipe's, with one place per line; `named` says how to give one.

    Raises:
        UsageError: there is none.
    """
    given = given if isinstance(given, str) or given is None else "\n".join(given)
    if source := given or chosen.source:
        return source
    raise UsageError(f"recipe {chosen.name} has no text of its own; name one {named}")


def settings_of(chosen: Recipe, assignments: Sequence[str]) -> dict[str, Settings]:
    """Each stage's settings: the recipe's with `stage.name=value` assignments on top.

    Raises:
        UsageError: an assignment is malformed, a stage, name or value is wrong, or a setting is set twice.
    """
    values: dict[str, dict[str, Any]] = {stage: {} for stage in STAGES}
    for assignment in assignments:
        place, equals, value = assignment.partition("=")
        stage, dot, name = place.partition(".")
        if not equals or not dot:
            raise UsageError(f"--set {assignment}: write it as stage.setting=value, such as train.epochs=3")
        if stage not in STAGES:
            raise UsageError(f"--set {assignment}: no stage {stage!r}; {nearest(stage, STAGES)}")
        if name in values[stage]:
            first, second = (STAGES[stage].settings.redacted({name: one})[name] for one in (values[stage][name], value))
            raise UsageError(f"--set: {place} is given twice, {first!r} and {second!r}; give it once")
        values[stage][name] = value
    return checked(chosen, values)


def checked(chosen: Recipe, values: Mapping[str, Mapping[str, Any]]) -> dict[str, Settings]:
    """Each stage's settings: the recipe's with `values`, by stage, on top.

    Raises:
        UsageError: a name or value is wrong, or a stage's settings are too large for a task.
    """
    parsed = {
        stage: STAGES[stage].settings.parse(values.get(stage, {}), stage, chosen.stages.get(stage, {}))
        for stage in STAGES
    }
    for stage, settings in parsed.items():
        if len(as_json(settings.model_dump(mode="json"))) > MAXIMUM_SETTINGS_BYTES:
            raise UsageError(
                f"{stage}: its settings take more than {MAXIMUM_SETTINGS_BYTES:,} bytes, more than a pipeline's task "
                "can be given; put long lists into a file (sample.prompts_file) or run the stage's own command"
            )
    return parsed


def hold_together(settings: Mapping[str, Any]) -> None:
    """Reject settings that have no effect, or can have none, because of another stage's settings.

    Raises:
        UsageError: there is such a setting.
    """
    vectorize, train, sample = settings["vectorize"], settings["train"], settings["sample"]
    if train.carries_state and vectorize.step != 1:
        raise UsageError(
            "vectorize.step has an effect only with train.objective=next or train.carry_state=false, otherwise the "
            "text is read in order; set one of them, or leave vectorize.step at 1"
        )
    if train.best_by == "validation_loss" and not vectorize.held_out:
        raise UsageError(
            "train.best_by=validation_loss has an effect only with vectorize.held_out above 0; set that, or leave "
            "train.best_by at auto"
        )
    if train.evaluate_tokens != type(train)().evaluate_tokens and not vectorize.held_out:
        raise UsageError(
            "train.evaluate_tokens has an effect only with vectorize.held_out above 0; set that, or leave it out"
        )
    too_long = [string for string in sample.stop if len(string) > sample.length]
    if too_long and vectorize.tokens in {"characters", "bytes"}:
        raise UsageError(
            f"sample.stop: {too_long[0]!r} has {len(too_long[0]):,} characters, more than sample.length, "
            f"{sample.length:,}, so it can't end a text; raise that"
        )


def as_dict(chosen: Recipe) -> dict[str, Any]:
    """A recipe's content for display, without the secrets in its source and other places."""
    stages = {stage: STAGES[stage].settings.redacted(values) for stage, values in chosen.stages.items()}
    return {"description": chosen.description, "source": storage.redacted_source(chosen.source), **stages}


def as_yaml(chosen: Recipe) -> str:
    """The recipe as YAML, for display."""
    plain = json.loads(as_json({name: value for name, value in as_dict(chosen).items() if value}))
    return str(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True))
