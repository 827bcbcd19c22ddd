"""Finds artifacts below a root and shows them with their lineage.

A root is a directory of local runs or a bucket's prefix.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any

from components.artifacts import storage
from components.artifacts.errors import ArtifactError
from components.artifacts.layout import run_of
from components.artifacts.manifest import MANIFEST_NAME, Manifest, parse_manifest
from components.artifacts.storage import Listed, Place
from components.command import log
from components.steps import STAGES

_PART = re.compile(r"\d{10}-[0-9a-f]{8}|shard")  # a single checkpoint, or a shard of samples
READS_AT_ONCE = 16


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """An artifact in a store: its place, run, manifest, the manifest's SHA-256, and when that was written."""

    place: Place
    run: str
    manifest: Manifest
    digest: str
    updated: float

    @property
    def size(self) -> int:
        """Size of all its files in bytes."""
        return sum(entry.bytes for entry in self.manifest.files.values())

    @property
    def in_run(self) -> str:
        """Its path below its run; empty if its place names none."""
        return f"/{self.place.key}".rpartition(f"/{self.run}/")[2] if self.run else ""

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints of it in a list."""
        return {
            "run": self.run,
            "kind": self.manifest.kind,
            "uri": str(self.place),
            "updated": datetime.fromtimestamp(self.updated, UTC).isoformat(timespec="seconds"),
            "bytes": self.size,
            "digest": self.digest,
        }


def find(root: str) -> list[Artifact]:
    """All artifacts below `root`, newest first, without parts of others (single checkpoints, shards of samples).

    A manifest that can't be read is skipped with a warning: one incomplete file must not hide the rest.
    """
    place = storage.place_of(root)
    listed = [entry for entry in place.store.list(place.key) if _is_manifest(entry.key.removeprefix(place.key))]
    with ThreadPoolExecutor(READS_AT_ONCE) as pool:
        read = pool.map(lambda entry: _read(place, entry), listed)
    return sorted((artifact for artifact in read if artifact), key=lambda found: (-found.updated, str(found.place)))


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
    known = [*find(root), *beside(artifact)]
    chain: list[dict[str, Any]] = []
    makers = [artifact]
    for maker in makers:
        for kind, digest in maker.manifest.made_from.items():
            found = _nearest(artifact, [one for one in known if one.digest == digest])
            # A source is not an artifact: the corpus's settings say where it was.
            uri = maker.manifest.config.get("source") if kind == "source" else found and str(found.place)
            chain.append({"kind": kind, "digest": digest, "uri": uri})
            if found:
                makers.append(found)
    return chain


def beside(artifact: Artifact) -> list[Artifact]:
    """The artifacts in the same directory."""
    above = Place(artifact.place.store, artifact.place.key.rpartition("/")[0])
    return [found for name in storage.children(str(above)) for found in _at(str(above / name))]


def _nearest(artifact: Artifact, candidates: Sequence[Artifact]) -> Artifact | None:
    """The candidate whose path has most in common with the artifact's."""

    def in_common(candidate: Artifact) -> int:
        pairs = zip(candidate.place.key.split("/"), artifact.place.key.split("/"), strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

    return max(candidates, key=in_common, default=None)


def show(artifact: Artifact, root: str) -> dict[str, Any]:
    """Everything known about an artifact: its manifest, a model's metrics, its lineage."""
    shown = {**artifact.as_dict(), "manifest": artifact.manifest.model_dump(mode="json")}
    if "metrics.json" in artifact.manifest.files:
        metrics = artifact.place.store.read((artifact.place / "metrics.json").key)
        shown["metrics"] = json.loads(metrics[0]) if metrics else None
    return {**shown, "lineage": lineage(artifact, root)}


def _at(uri: str) -> list[Artifact]:
    place = storage.place_of(uri)
    key = (place / MANIFEST_NAME).key
    listed = [entry for entry in place.store.list(place.key) if entry.key == key]
    found = _read(place, listed[0]) if listed else None
    return [found] if found else []


def _read(root: Place, listed: Listed) -> Artifact | None:
    place = Place(root.store, listed.key.removesuffix(f"/{MANIFEST_NAME}"))
    data = root.store.read(listed.key)
    if data is None:  # removed since it was listed
        return None
    try:
        manifest = parse_manifest(data[0], str(place))
    except ArtifactError as error:
        log.warning(str(error))
        return None
    return Artifact(
        place=place,
        run=run_of(place.key, manifest.producer.stage),
        manifest=manifest,
        digest=hashlib.sha256(data[0]).hexdigest(),
        updated=listed.updated,
    )


def _is_manifest(key: str) -> bool:
    """Whether a key, as seen from the root, is an artifact's manifest; the root itself may lie in a hidden place."""
    *directories, name = f"/{key}".split("/")
    hidden = any(part.startswith(".") for part in directories)
    return name == MANIFEST_NAME and not hidden and not _PART.fullmatch(directories[-1])
