"""Artifacts where they lie: found below a root, shown with their lineage, fetched and verified.

A root is a directory of local runs or a bucket's prefix.
"""

import hashlib
import json
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from typing import Any

from components.artifacts import storage
from components.artifacts.errors import ArtifactError, QuillflowError
from components.artifacts.layout import run_of
from components.artifacts.manifest import MANIFEST_NAME, Manifest, parse_manifest, verify
from components.artifacts.storage import Listed, Place
from components.command import log
from pipelines.settings import STAGES

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
    """All artifacts below `root` but parts of others (single checkpoints, shards of samples), newest first.

    What can't be read as a manifest is passed over with a warning: one torn file must not hide the rest.
    """
    place = storage.place_of(root)
    listed = [entry for entry in place.store.list(place.key) if _is_manifest(entry.key)]
    with ThreadPoolExecutor(READS_AT_ONCE) as pool:
        read = pool.map(lambda entry: _read(place, entry), listed)
    return sorted((artifact for artifact in read if artifact), key=lambda found: (-found.updated, str(found.place)))


def resolve(name: str, root: str) -> list[Artifact]:
    """The artifacts that `name` means: the one at that URI, all below it, or those of the run of that name.

    Raises:
        ArtifactError: it means none.
    """
    for uri in (name, *run_uris(name, root)):
        found = _at(uri) or find(uri)
        if found:
            return found
    in_run = [artifact for artifact in find(root) if artifact.run == name]
    if not in_run:
        raise ArtifactError(
            f"{name}: no artifact, and no run of that name under {root}; quillflow artifacts ls lists them"
        )
    return in_run


def find_model(name: str, root: str) -> Artifact:
    """The model that `name` means (its URI, or a run or its name); the newest below `root` for "".

    Raises:
        ArtifactError: there is no model.
    """
    found = resolve(name, root) if name else find(root)
    models = [artifact for artifact in found if artifact.manifest.kind == "model"]
    if not models:
        hint = f"name another than {name}" if name else "make one with quillflow run, or name one"
        raise ArtifactError(f"{name or root}: no model there; {hint}")
    return models[0]


def run_uris(run: str, root: str) -> list[str]:
    """Where a run's artifacts may lie below `root`: <root>/<run>, or <root>/<pipeline>/<run>."""
    root = root.rstrip("/")
    return [f"{root}/{run}", *(f"{root}/{pipeline}/{run}" for pipeline in ("text-generation", *STAGES))]


def lineage(artifact: Artifact, root: str) -> list[dict[str, Any]]:
    """What the artifact was made from, back to the source: kind, digest, and where it is.

    It is looked for below `root` and beside the artifact; of several that are the same, the nearest is named.
    """
    known = [*find(root), *beside(artifact)]
    chain: list[dict[str, Any]] = []
    wanted = list(artifact.manifest.made_from.items())
    while wanted:
        kind, digest = wanted.pop(0)
        found = _nearest(artifact, [one for one in known if one.digest == digest])
        chain.append({"kind": kind, "digest": digest, "uri": str(found.place) if found else None})
        if found:
            if kind == "corpus":
                chain[-1]["source"] = found.manifest.config.get("source")
            wanted += found.manifest.made_from.items()
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
    """All there is to say of an artifact: its manifest, a model's metrics, its lineage."""
    shown = {**artifact.as_dict(), "manifest": artifact.manifest.model_dump(mode="json")}
    if "metrics.json" in artifact.manifest.files:
        metrics = artifact.place.store.read((artifact.place / "metrics.json").key)
        shown["metrics"] = json.loads(metrics[0]) if metrics else None
    return {**shown, "lineage": lineage(artifact, root)}


def pull(artifacts: Sequence[Artifact], directory: Path) -> list[str]:
    """Fetch artifacts, one into `directory` itself, several into a directory a kind below it; their paths.

    Files that are there already and are as listed are not fetched again, so a fetch that broke off goes on.
    """
    paths = []
    for artifact in artifacts:
        target = directory if len(artifacts) == 1 else directory / artifact.manifest.kind
        storage.pull(artifact.place, target, artifact.manifest.kind, log.transferred)
        paths.append(str(target))
    return paths


def verify_all(artifacts: Sequence[Artifact]) -> Mapping[str, str]:
    """Hold every artifact to its manifest; by URI, empty where it is whole, else what is wrong with it."""
    verdicts = {}
    for artifact in artifacts:
        try:
            if artifact.place.local is not None:
                verify(artifact.place.local)
            else:
                with tempfile.TemporaryDirectory(prefix="quillflow-") as scratch:
                    storage.pull(artifact.place, Path(scratch), artifact.manifest.kind, log.transferred)
            verdicts[str(artifact.place)] = ""
        except QuillflowError as error:
            verdicts[str(artifact.place)] = str(error)
    return verdicts


def as_table(artifacts: Iterable[Artifact]) -> list[str]:
    """One line an artifact: when, what, how large, where."""
    rows = [
        f"{datetime.fromtimestamp(found.updated, UTC):%Y-%m-%d %H:%M:%S}  {found.manifest.kind:<9} "
        f"{log.size(found.size):>9}  {found.place}"
        for found in artifacts
    ]
    return ["written (UTC)        kind           size  where", *rows] if rows else ["no artifacts"]


def as_lines(shown: Mapping[str, Any]) -> list[str]:
    """What `show` found, as lines for a person."""
    manifest = shown["manifest"]
    lines = [
        f"{manifest['kind']} at {shown['uri']}",
        f"  run       {shown['run'] or 'none: the stage was run alone'}",
        f"  written   {shown['updated']} by {manifest['producer']['stage']} {manifest['producer']['version']}",
        f"  digest    {shown['digest']}",
    ]
    for step in shown["lineage"]:
        place = step["uri"] or ("not found" if step["kind"] != "source" else "")
        lines.append(f"  made from {step['kind']} {step['digest'][:16]} {step.get('source') or ''} {place}".rstrip())
    return [
        *lines,
        *(f"  file      {name}  {log.size(entry['bytes'])}" for name, entry in manifest["files"].items()),
        *(f"  count     {name} {value:,}" for name, value in manifest["counts"].items()),
        *(f"  metric    {name} {_rounded(value)}" for name, value in (shown.get("metrics") or {}).items()),
        *(f"  setting   {name} {json.dumps(value, ensure_ascii=False)}" for name, value in manifest["config"].items()),
    ]


def _rounded(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


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
    *directories, name = key.split("/")
    hidden = any(part.startswith(".") for part in directories)
    return name == MANIFEST_NAME and not hidden and not _PART.fullmatch(directories[-1])
