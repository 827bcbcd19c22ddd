"""Finds artifacts by the names that people give, and shows them with their lineage."""

import json
from collections.abc import Sequence
from typing import Any

from components.artifacts import storage
from components.artifacts.errors import ArtifactError
from components.artifacts.finding import Artifact, find, read_at
from components.artifacts.lineage import Step, trace
from components.artifacts.storage import Place
from components.steps import STAGES

__all__ = ["Artifact", "around", "find", "find_model", "lineage", "made_or_used", "resolve", "run_uris", "show"]


def resolve(name: str, root: str) -> list[Artifact]:
    """The artifacts that `name` means: the one at that URI, all below it, or those of the run of that name.

    RUN/PATH also names an artifact, by its path below its run.

    Raises:
        ArtifactError: there are none.
    """
    for uri in (name, *run_uris(name, root)):
        found = _at(uri) or find(uri)
        if found:
            return found
    of_run = [one for one in find(root) if name in (one.run, f"{one.run}/{one.in_run}")]
    if not of_run:
        raise ArtifactError(f"{name}: neither an artifact nor a run under {root}; quillflow artifacts ls lists both")
    return of_run


def find_model(name: str, root: str) -> Artifact:
    """The model that `name` means: the one at a URI, or that a run made or used; the newest below `root` for "".

    Raises:
        ArtifactError: there is no model.
    """
    if name:
        model = made_or_used(resolve(name, root), "model", root)
    else:
        model = next((artifact for artifact in find(root) if artifact.manifest.kind == "model"), None)
    if model is None:
        hint = f"name another than {name}" if name else "make one with quillflow run, or name one"
        raise ArtifactError(f"{name or root}: no model there; {hint}")
    return model


def made_or_used(found: Sequence[Artifact], kind: str, root: str) -> Artifact | None:
    """The newest of a kind among a run's artifacts, or what they were made from; None if there is none."""
    for artifact in found:
        if artifact.manifest.kind == kind:
            return artifact
    for artifact in found:
        for step in lineage(artifact, root):
            if step["kind"] == kind and step["uri"]:
                return _at(step["uri"])[0]
    return None


def run_uris(run: str, root: str) -> list[str]:
    """Where a run's artifacts may lie below `root`: <root>/<run>, or <root>/<pipeline>/<run>."""
    root = root.rstrip("/")
    return [f"{root}/{run}", *(f"{root}/{pipeline}/{run}" for pipeline in ("text-generation", *STAGES))]


def lineage(artifact: Artifact, root: str) -> list[dict[str, Any]]:
    """What the artifact was made from, back to the source: kind, digest, and where it is.

    It is looked for below `root` and next to the artifact; of several identical ones, the nearest is named.
    """

    def uri(step: Step) -> str | None:
        if step.kind == "source":  # no artifact: the corpus's settings say where it was
            return step.made.manifest.config.get("source")
        return str(step.found.place) if step.found else None

    steps = trace(artifact, [*find(root, parts=True), *beside(artifact.place)])
    return [{"kind": step.kind, "digest": step.digest, "uri": uri(step)} for step in steps]


def around(place: Place, run: str, root: str) -> list[Artifact]:
    """The artifacts below `root`, in the same directory as a place, and in its run, wherever that is; "" for none."""
    known = [*find(root), *beside(place)]
    return known + (find(str(place).partition(f"/{run}/")[0] + f"/{run}") if run else [])


def beside(place: Place) -> list[Artifact]:
    """The artifacts in the same directory as a place."""
    above = place.above
    return [found for name in storage.children(str(above)) for found in _at(str(above / name))]


def show(artifact: Artifact, root: str) -> dict[str, Any]:
    """Everything known about an artifact: its manifest, a model's metrics, its lineage."""
    shown = {**artifact.as_dict(), "manifest": artifact.manifest.model_dump(mode="json")}
    if "metrics.json" in artifact.manifest.files:
        metrics = artifact.place.store.read((artifact.place / "metrics.json").key)
        shown["metrics"] = json.loads(metrics[0]) if metrics else None
    return {**shown, "lineage": lineage(artifact, root)}


def _at(uri: str) -> list[Artifact]:
    found = read_at(storage.place_of(uri))
    return [found] if found else []
