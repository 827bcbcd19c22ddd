"""Whole artifacts in and out of a store: verified on the way in, complete or not there on the way out."""

import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from components.artifacts.errors import ArtifactError
from components.artifacts.manifest import MANIFEST_NAME, read_manifest, verify
from components.artifacts.scratch import make_scratch, scratch_directory
from components.artifacts.storage.failures import full_disk_named
from components.artifacts.storage.fetch import Progress, is_artifact, pull, transfer
from components.artifacts.storage.local import flush
from components.artifacts.storage.place import Place, is_text, place_of
from components.artifacts.storage.store import ABSENT, ANY

SWEPT_AFTER_SECONDS = 24 * 3600
UNDERWAY_NAME = f".{MANIFEST_NAME}.underway"


@contextmanager
def incoming(uri: str, kind: str, progress: Progress | None = None) -> Iterator[Path]:
    """A local directory holding the artifact at `uri`, every file checked against its manifest.

    Raises:
        ArtifactError: the artifact is missing, damaged or not a `kind`.
        StorageError: the store fails for good.
    """
    place = place_of(uri)
    if place.local is not None:
        verify(place.local, kind)
        yield place.local
        return
    with scratch_directory() as scratch:
        directory = scratch / kind
        pull(place, directory, kind, progress)
        yield directory


@contextmanager
def outgoing(uri: str, progress: Progress | None = None) -> Iterator[Path]:
    """A fresh local directory to fill; published at `uri` when the block ends well, dropped when it does not.

    The block must leave a manifest. An artifact that stands at `uri` already is replaced.

    Raises:
        ArtifactError: something stands at `uri` that is no artifact; it is left alone.
        StorageError: the store fails for good; nothing is published.
    """
    place = place_of(uri)
    _refuse_foreign(place)
    staging = _staging(place)
    try:
        with full_disk_named(staging):
            yield staging
        if not (staging / MANIFEST_NAME).is_file():
            raise RuntimeError(f"nothing wrote the manifest of {place}")
        if place.local is not None:
            _replace(place.local, staging)
        else:
            push(staging, place, progress)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def push(directory: Path, place: Place, progress: Progress | None = None) -> None:
    """Write the artifact in `directory` at `place`: its files, then its manifest, whose presence means "complete".

    Until then a copy of the manifest under another name says that an artifact is on its way: a push that broke off
    is known by it, and the next one goes over it. Files of the artifact before that this one lacks go at the end.
    """
    key, underway = (place / MANIFEST_NAME).key, (place / UNDERWAY_NAME).key
    manifest, data = read_manifest(directory), (directory / MANIFEST_NAME).read_bytes()
    before = _listed_at(place)
    place.store.write(underway, data)
    place.store.delete(key)
    transfer(
        [lambda name=name: place.store.upload(directory / name, (place / name).key) for name in manifest.files],  # type: ignore[misc]
        [entry.bytes for entry in manifest.files.values()],
        progress,
    )
    place.store.write(key, data, expected=ABSENT)
    for name in sorted(before - set(manifest.files)):
        place.store.delete((place / name).key)
    place.store.delete(underway)


def children(uri: str) -> list[str]:
    """The names of the directories right below `uri`, sorted, but those that are no UTF-8; none where nothing is."""
    place = place_of(uri)
    if place.local is not None:
        found = place.local.iterdir() if place.local.is_dir() else ()
        return sorted(child.name for child in found if child.is_dir() and is_text(child.name))
    start = len(place.key.rstrip("/")) + 1 if place.key else 0
    rests = (listed.key[start:] for listed in place.store.list(place.key))
    return sorted({rest.partition("/")[0] for rest in rests if "/" in rest})


def remove(uri: str) -> None:
    """Remove the directory at `uri` and all below it; the manifest goes first, so no torn artifact shows."""
    place = place_of(uri)
    place.store.delete((place / MANIFEST_NAME).key)
    if place.local is not None:
        shutil.rmtree(place.local, ignore_errors=True)
        return
    for listed in list(place.store.list(place.key)):
        place.store.delete(listed.key)


def write_file(uri: str, data: bytes, *, expected: str | None = ANY) -> str:
    """Put a small file at `uri`, whole or not at all; see `Store.write`."""
    place = place_of(uri)
    return place.store.write(place.key, data, expected=expected)


def read_file(uri: str) -> tuple[bytes, str] | None:
    """A small file's bytes and version, or None where there is none; see `Store.read`."""
    place = place_of(uri)
    return place.store.read(place.key)


def _staging(place: Place) -> Path:
    if place.local is None:
        return make_scratch()
    place.local.parent.mkdir(parents=True, exist_ok=True)
    _sweep(place.local)
    staging = place.local.with_name(f".{place.local.name}.{os.getpid()}-{secrets.token_hex(4)}.partial")
    staging.mkdir()
    return staging


def _sweep(target: Path) -> None:
    """Remove what processes that were killed while they wrote `target` left beside it."""
    for leaving in target.parent.glob(f".{target.name}.*.partial"):
        if leaving.is_dir() and time.time() - leaving.stat().st_mtime > SWEPT_AFTER_SECONDS:
            shutil.rmtree(leaving, ignore_errors=True)


def _refuse_foreign(place: Place) -> None:
    """Overwriting is for artifacts only: a mistyped path must not cost anybody their files."""
    target = place.local
    if target is not None:
        if target.exists() and not target.is_dir():
            raise ArtifactError(f"{target}: is a file; an artifact is a directory, choose another place")
        if not target.is_dir() or not any(target.iterdir()) or is_artifact(target):
            return
    elif _is_bucket_artifact(place) or next(place.store.list(place.key), None) is None:
        return
    raise ArtifactError(f"{place}: holds files that are no artifact; choose another place or empty it")


def _is_bucket_artifact(place: Place) -> bool:
    """Whether an artifact is at a place in a bucket, or was on its way there."""
    return any(place.store.read((place / name).key) for name in (MANIFEST_NAME, UNDERWAY_NAME))


def _listed_at(place: Place) -> set[str]:
    """The files of the artifact at `place`, and of one whose push broke off."""
    names: set[str] = set()
    for found in [place.store.read((place / name).key) for name in (MANIFEST_NAME, UNDERWAY_NAME)]:
        with suppress(ValueError, TypeError, KeyError):
            names.update(json.loads(found[0])["files"] if found else ())
    return names


def _replace(target: Path, staging: Path) -> None:
    """Put `staging` where `target` is; the old one goes only when the new one stands."""
    for path in [*staging.rglob("*"), staging]:
        flush(path)
    old = staging.with_suffix(".old")
    if target.exists():
        target.rename(old)
    try:
        staging.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
    flush(target.parent)
    shutil.rmtree(old, ignore_errors=True)
