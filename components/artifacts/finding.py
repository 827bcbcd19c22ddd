"""Finds the artifacts below a root, which is a directory of local runs or a bucket's prefix."""

import hashlib
import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any

from components.artifacts import storage
from components.artifacts.errors import ArtifactError, NewerArtifactError
from components.artifacts.layout import PART, run_of, run_path
from components.artifacts.manifest import MANIFEST_NAME, Manifest, parse_manifest
from components.artifacts.storage import Listed, Place

READS_AT_ONCE = 16
_LOGGER = logging.getLogger("quillflow")


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

    @property
    def run_place(self) -> Place | None:
        """The place of its run; None if its own names none."""
        key = run_path(self.place.key, self.manifest.producer.stage)
        return Place(self.place.store, key) if key else None

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


def find(root: str, *, parts: bool = False, strict: bool = False) -> list[Artifact]:
    """All artifacts below `root`, newest first; single checkpoints and shards of samples only with `parts`.

    A manifest that can't be read is skipped with a warning: one incomplete file must not hide the rest.

    Raises:
        NewerArtifactError: with `strict`, a newer version wrote one.
        StorageError: the store fails after all retries.
    """
    place = storage.place_of(root)
    listed = place.store.list(place.key)
    manifests = (one for one in listed if _is_manifest(one.key.removeprefix(place.key), parts=parts))
    return _read_all(place, manifests, strict=strict)


def find_half_removed(root: str) -> list[Artifact]:
    """The artifacts below `root` whose removal began and broke off, or still continues."""
    place = storage.place_of(root)
    begun = _read_all(place, storage.unfinished(root), strict=False)
    return [one for one in begun if place.store.read((one.place / MANIFEST_NAME).key) is None]


def _read_all(root: Place, manifests: Iterable[Listed], *, strict: bool) -> list[Artifact]:
    with ThreadPoolExecutor(READS_AT_ONCE) as pool:
        read = pool.map(lambda entry: _read(root, entry, strict=strict), manifests)
    return sorted((artifact for artifact in read if artifact), key=lambda found: (-found.updated, str(found.place)))


def nearest(artifact: Artifact, candidates: Sequence[Artifact]) -> Artifact | None:
    """The candidate whose path has most in common with the artifact's."""

    def in_common(candidate: Artifact) -> int:
        pairs = zip(candidate.place.key.split("/"), artifact.place.key.split("/"), strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

    return max(candidates, key=in_common, default=None)


def read_at(place: Place, *, strict: bool = False) -> Artifact | None:
    """The artifact at a place, or None, with a warning if its manifest can't be read; `strict` as for `find`."""
    key = (place / MANIFEST_NAME).key
    listed = [entry for entry in place.store.list(place.key) if entry.key == key]
    return _read(place, listed[0], strict=strict) if listed else None


def _read(root: Place, listed: Listed, *, strict: bool) -> Artifact | None:
    key, _, _ = listed.key.rpartition("/")
    place = Place(root.store, key)
    data = root.store.read(listed.key)
    if data is None:  # removed since it was listed
        return None
    try:
        manifest = parse_manifest(data[0], str(place))
    except ArtifactError as error:
        if strict and isinstance(error, NewerArtifactError):
            raise
        _LOGGER.warning("%s", error)
        return None
    return Artifact(
        place=place,
        run=run_of(place.key, manifest.producer.stage),
        manifest=manifest,
        digest=hashlib.sha256(data[0]).hexdigest(),
        updated=listed.updated,
    )


def _is_manifest(key: str, *, parts: bool) -> bool:
    """Whether a key, as seen from the root, is an artifact's manifest; the root itself may lie in a hidden place."""
    *directories, name = f"/{key}".split("/")
    hidden = any(part.startswith(".") for part in directories)
    return name == MANIFEST_NAME and not hidden and (parts or not PART.fullmatch(directories[-1]))
