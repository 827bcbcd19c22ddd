"""Re-runs one stage of a run: its inputs, the settings it had, and running it on this machine."""

import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from components.artifacts import storage
from components.artifacts.errors import ArtifactError, UsageError
from components.artifacts.manifest import MANIFEST_NAME, Manifest, parse_manifest
from components.command import log
from components.command.settings import Settings
from components.steps import STAGES
from components.train.config import UNCHANGED_BY
from pipelines.inputs.settings import recipe, settings_of
from pipelines.results import finding
from pipelines.results.finding import Artifact

_CHECKPOINT = re.compile(rf"/checkpoints/(?P<name>\d{{10}}-[0-9a-f]{{8}})/{re.escape(MANIFEST_NAME)}$")


@dataclass(frozen=True, kw_only=True)
class Unfinished:
    """A run's training without a model: its checkpoints' URI, and the newest one's manifest."""

    uri: str
    manifest: Manifest


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A stage to re-run: its input's URI, and all stages' settings, of which its own apply."""

    stage: str
    source: str
    settings: Mapping[str, Settings]


def plan(
    stage: str, run: str, root: str, *, recorded: Mapping[str, Any], assignments: Sequence[str], fallback: str
) -> Plan:
    """What is needed to re-run a stage of a run.

    Args:
        stage: its name.
        run: a run below `root`, or the URI of the stage's input artifact.
        root: URI that stores all runs.
        recorded: the run's arguments according to the cluster; empty for a run on this machine.
        assignments: `stage.setting=value`, on top of the run's settings.
        fallback: the recipe to use if the run's settings are unknown.

    Raises:
        ArtifactError: what the stage needs was not found.
        UsageError: a setting is wrong, or of another stage.
    """
    for assignment in assignments:
        if not assignment.startswith(f"{stage}."):
            raise UsageError(f"--set {assignment}: only {stage} is re-run; set {stage}.SETTING=VALUE")
    unfinished = _unfinished(run, root)
    if not (recorded or unfinished):
        finding.resolve(run, root)
    if stage != "train":
        unfinished = None
    had = _settings_on_record(stage, recorded) or _settings_in_manifests(stage, run, root, unfinished)
    if not had:
        log.info(f"{run}: its settings for {stage} are unknown; using the recipe {fallback}")
    chosen = recipe(fallback)
    if had:
        chosen = replace(chosen, stages={stage: had})
    if unfinished:
        assignments = [*_resuming(unfinished, assignments), *assignments]
    settings = settings_of(chosen, assignments)
    return Plan(stage=stage, source=_input(stage, run, root, recorded, unfinished), settings=settings)


def rerun_here(chosen: Plan, root: str) -> dict[str, Any]:
    """Re-run a stage on this machine, as a new run below `root`; return the stage's result with the run's name."""
    stage = STAGES[chosen.stage]
    name = f"rerun-{stage.name}-{time.strftime('%Y-%m-%d-%H-%M-%S')}-{secrets.token_hex(3)}"
    first, *outputs = stage.artifacts
    uris = {output: f"{storage.place_of(root) / name / stage.name / output}" for output in outputs}
    log.set_up(stage.name)
    return {"run": name, **stage.work(chosen.settings[stage.name], **{first: chosen.source}, **uris)}


def of_run(run: str, kind: str, root: str, unfinished: Unfinished | None = None) -> Artifact:
    """The newest artifact of a kind that a run made or used.

    Raises:
        ArtifactError: there is none.
    """
    try:
        found = finding.made_or_used(finding.resolve(run, root), kind, root)
    except ArtifactError:
        found = None
    if found is None and unfinished and kind in unfinished.manifest.made_from:
        digest = unfinished.manifest.made_from[kind]
        found = next((artifact for artifact in finding.find(root) if artifact.digest == digest), None)
    if found is None:
        raise ArtifactError(
            f"{run}: it made or used no {kind} below {root}; if all of it came from the cache, name the "
            f"{kind} by its URI (quillflow artifacts ls --root {root} lists them)"
        )
    return found


def _input(stage: str, run: str, root: str, recorded: Mapping[str, Any], unfinished: Unfinished | None) -> str:
    feed = STAGES[stage].feed
    if feed == "source":
        return str(recorded.get(feed) or of_run(run, STAGES[stage].result, root).manifest.config["source"])
    return str(recorded.get(STAGES[stage].feed_parameter) or of_run(run, feed, root, unfinished).place)


def _settings_on_record(stage: str, recorded: Mapping[str, Any]) -> dict[str, Any]:
    """A stage's settings in the arguments of a run on a cluster: under its name, or `settings` for a single stage."""
    if isinstance(recorded.get(stage), dict):
        return dict(recorded[stage])
    return dict(recorded["settings"]) if STAGES[stage].feed_parameter in recorded and "settings" in recorded else {}


def _settings_in_manifests(stage: str, run: str, root: str, unfinished: Unfinished | None) -> dict[str, Any]:
    """The settings recorded in a stage's artifact, or in its newest checkpoint."""
    if unfinished:
        config = unfinished.manifest.config
    else:
        try:
            config = of_run(run, STAGES[stage].result, root).manifest.config
        except ArtifactError:
            return {}
    return {name: value for name, value in config.items() if name in STAGES[stage].settings.model_fields}


def _unfinished(run: str, root: str) -> Unfinished | None:
    for uri in finding.run_uris(run, root):
        place = storage.place_of(uri)
        keys = sorted(listed.key for listed in place.store.list(place.key))
        committed = [(key, match) for key in keys if (match := _CHECKPOINT.search(key))]
        if committed and not any(key.endswith(f"/model/{MANIFEST_NAME}") for key in keys):
            key, match = committed[-1]
            directory = storage.Place(place.store, key[: match.start()]) / "checkpoints"
            data = place.store.read(key)
            if data is not None:
                name = str(directory / match["name"])
                return Unfinished(uri=str(directory), manifest=parse_manifest(data[0], name, "checkpoint"))
    return None


def _resuming(unfinished: Unfinished, assignments: Sequence[str]) -> list[str]:
    """The setting that resumes training, unless the given settings exclude it."""
    named = {assignment.partition("=")[0].removeprefix("train.") for assignment in assignments}
    if named & {"init_from", "start_anew"}:
        return []
    if changed := named - UNCHANGED_BY:
        log.info(f"Training starts over: {', '.join(sorted(changed))} would change the steps already taken")
        return []
    steps = unfinished.manifest.counts["train_step"]
    log.info(f"Training resumes after train step {steps:,}, from {unfinished.uri}")
    return [f"train.init_from={unfinished.uri}"]
