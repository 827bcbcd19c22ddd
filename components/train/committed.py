"""Which checkpoints were committed at a place, and the one of an epoch."""

import hashlib
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple

from components.artifacts import storage
from components.artifacts.errors import ArtifactError, UsageError
from components.artifacts.manifest import MANIFEST_NAME, Manifest, parse_manifest
from components.artifacts.storage import Place
from components.command import log

NAME = re.compile(r"(?P<step>\d{10,})-[0-9a-f]{8}")
READS_AT_ONCE = 16


class Committed(NamedTuple):
    """A checkpoint: the URI of all of its training, its name there, its manifest, and the manifest's SHA-256."""

    checkpoints: str
    name: str
    manifest: Manifest
    digest: str


def committed(place: Place) -> list[str]:
    """The names of checkpoints at a place, newest first: by train step, which does not depend on a clock."""
    names = [name for name in storage.children(str(place)) if NAME.fullmatch(name)]
    manifests = {(place / name / MANIFEST_NAME).key: name for name in names}
    if place.local is not None:
        found = [name for key, name in manifests.items() if place.store.read(key) is not None]
    else:  # a request for each of many would take longer than training one epoch
        found = [manifests[listed.key] for listed in place.store.list(place.key) if listed.key in manifests]
    return sorted(found, key=lambda name: (step_of(name), name), reverse=True)


def step_of(name: str) -> int:
    """The train step of the checkpoint of this name."""
    return int(name.partition("-")[0])


def newest_step(uri: str) -> int | None:
    """The train step of the newest checkpoint at a URI, or None if none was committed."""
    names = committed(storage.place_of(uri))
    return step_of(names[0]) if names else None


def newest_digest(uri: str) -> str:
    """A SHA-256 that names the newest checkpoint at a URI, which is never rewritten; empty if there is none."""
    names = committed(storage.place_of(uri))
    return hashlib.sha256(names[0].encode()).hexdigest() if names else ""


def of_epoch(uri: str, epoch: int) -> Committed:
    """The checkpoint at a URI that was saved when an epoch, counted from 1, had ended.

    Raises:
        UsageError: there is none; the error says of which epochs there are some, or what is at the URI.
    """
    place = storage.place_of(uri)
    names = committed(place)
    if not names:
        raise UsageError(f"{place} {what_is_at(place)}")
    found = {one.manifest.counts["epoch"]: one for one in _read_all(place, names) if "epoch" in one.manifest.counts}
    if epoch not in found:
        kept = f"there is {', '.join(map(str, sorted(found)))}" if found else "there is none of a whole epoch"
        raise UsageError(f"{place}: no checkpoint of epoch {epoch}; {kept}; train.keep_every says which are kept")
    return found[epoch]


def _read_all(place: Place, names: Sequence[str]) -> list[Committed]:
    """The checkpoints of these names, the last one first; one with a damaged manifest is skipped with a warning."""

    def read(name: str) -> Committed | None:
        """The checkpoint of a name; None if it was removed meanwhile, or is damaged."""
        data = storage.read_file(str(place / name / MANIFEST_NAME))
        if data is None:  # removed since it was listed
            return None
        try:
            manifest = parse_manifest(data[0], str(place / name), "checkpoint")
        except ArtifactError as error:
            log.warning(f"skipped a checkpoint: {error}")
            return None
        return Committed(str(place), name, manifest, hashlib.sha256(data[0]).hexdigest())

    with ThreadPoolExecutor(READS_AT_ONCE) as pool:
        return [one for one in pool.map(read, reversed(names)) if one]


def what_is_at(place: Place) -> str:
    """What is at a place without checkpoints, and where nearby there are some."""
    kind = ""
    if manifest := storage.read_file(str(place / MANIFEST_NAME)):
        with suppress(ArtifactError):  # another program's
            kind = parse_manifest(manifest[0], str(place)).kind
    places = [place / "checkpoints", place.above / "checkpoints"] + [place.above] * (kind == "checkpoint")
    near = [str(where) for where in places if committed(where)]
    is_empty = not any(storage.entries(str(place)))
    holds = f"is a {kind}" if kind else "is not a directory, or is empty" if is_empty else "holds no checkpoint"
    return f"{holds}; name {near[0] if near else 'the directory that was given as --checkpoints'}"
