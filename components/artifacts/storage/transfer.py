"""Whole artifacts in and out of a store: verified on the way in, complete or not there on the way out."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from components.artifacts.errors import ArtifactError
from components.artifacts.manifest import MANIFEST_NAME, parse_manifest, read_manifest
from components.artifacts.scratch import make_scratch, scratch_directory
from components.artifacts.storage import staging
from components.artifacts.storage.failures import full_disk_named
from components.artifacts.storage.fetch import Progress, pull, transfer
from components.artifacts.storage.names import UNDERWAY_NAME
from components.artifacts.storage.outputs import check_replaceable
from components.artifacts.storage.place import Place, place_of
from components.artifacts.storage.steady import reading
from components.artifacts.storage.store import ABSENT, ANY, ConflictError, StorageError
from components.artifacts.storage.uris import is_text

PUSHES = 5
"""How often an artifact is written at most where others write at the same place."""


@contextmanager
def incoming(uri: str, kind: str, progress: Progress | None = None) -> Iterator[Path]:
    """A local directory holding the artifact at `uri`, every file checked against its manifest.

    Whoever publishes what was made of it does so outside of the block, at whose end it may turn out to be replaced.

    Raises:
        ArtifactError: the artifact is missing, damaged or not a `kind`, or was replaced while it was read.
        StorageError: the store fails for good.
    """
    place = place_of(uri)
    if place.local is not None:
        with reading(place.local, kind):
            yield place.local
        return
    with scratch_directory() as scratch:
        directory = scratch / kind
        pull(place, directory, kind, progress)
        yield directory


@contextmanager
def outgoing(uri: str, kind: str, progress: Progress | None = None) -> Iterator[Path]:
    """A fresh local directory to fill; published at `uri` when the block ends well, dropped when it does not.

    The block must leave the manifest of a `kind`. An artifact of that kind that stands at `uri` already is replaced;
    a symbolic link is followed.

    Raises:
        ArtifactError: something else stands at `uri`; it is left alone.
        StorageError: the store fails for good; nothing is published.
    """
    place = place_of(uri)
    check_replaceable(place, kind)
    target = Path(os.path.realpath(place.local)) if place.local is not None else None
    directory = staging.begin(target) if target is not None else make_scratch()
    try:
        with full_disk_named(directory):
            yield directory
        if not (directory / MANIFEST_NAME).is_file():
            raise RuntimeError(f"nothing wrote the manifest of {place}")
        read_manifest(directory, kind)
        if target is not None:
            staging.publish(directory, target)
        else:
            push(directory, place, progress)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def push(directory: Path, place: Place, progress: Progress | None = None) -> None:
    """Write the artifact in `directory` at `place`: its files, then its manifest, whose presence means "complete".

    Until then a copy of a manifest under another name says which files are on their way, in or out: a push that broke
    off is known by it, and the next one goes over it. Files of the artifact before that this one lacks go first, so
    that a complete artifact holds nothing else. Of two that push at the same time one stays, whole.

    Raises:
        StorageError: the store fails for good, or others keep writing there.
    """
    for _ in range(PUSHES):
        with suppress(ConflictError):  # another was done meanwhile: whose each file is, nobody knows
            _push_once(directory, place, progress)
            return
    raise StorageError(f"{place}: others keep writing there; choose another place, or try again when they are done")


def _push_once(directory: Path, place: Place, progress: Progress | None) -> None:
    """Write an artifact.

    Raises:
        ConflictError: another artifact's manifest was written meanwhile.
    """
    key, underway = (place / MANIFEST_NAME).key, (place / UNDERWAY_NAME).key
    manifest, data = read_manifest(directory), (directory / MANIFEST_NAME).read_bytes()
    _make_way(place, set(manifest.files))
    place.store.write(underway, data)
    transfer(
        [lambda name=name: place.store.upload(directory / name, (place / name).key) for name in manifest.files],  # type: ignore[misc]
        [entry.bytes for entry in manifest.files.values()],
        progress,
    )
    place.store.write(key, data, expected=ABSENT)
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


def entries(uri: str) -> Iterator[str]:
    """The names of all that is right below `uri`, hidden or not, as the store lists them; none where nothing is."""
    place = place_of(uri)
    if place.local is not None:
        yield from sorted(os.listdir(place.local)) if place.local.is_dir() else ()  # noqa: PTH208 -- names, not paths
        return
    start, seen = len((place / "").key) if place.key else 0, set()
    for listed in place.store.list(place.key):
        name = listed.key[start:].partition("/")[0]
        if name not in seen:
            seen.add(name)
            yield name


def write_file(uri: str, data: bytes, *, expected: str | None = ANY) -> str:
    """Put a small file at `uri`, whole or not at all; see `Store.write`."""
    place = place_of(uri)
    return place.store.write(place.key, data, expected=expected)


def read_file(uri: str) -> tuple[bytes, str] | None:
    """A small file's bytes and version, or None where there is none; see `Store.read`."""
    place = place_of(uri)
    return place.store.read(place.key)


def _make_way(place: Place, names: set[str]) -> None:
    """Take away the artifact at `place`, or what one left whose push broke off, but for files with these names."""
    key, underway = (place / MANIFEST_NAME).key, (place / UNDERWAY_NAME).key
    found = place.store.read(key) or place.store.read(underway)
    if found is None:
        return
    place.store.write(underway, found[0])
    place.store.delete(key)
    with suppress(ArtifactError):
        for name in sorted(parse_manifest(found[0], str(place)).files.keys() - names):
            place.store.delete((place / name).key)
