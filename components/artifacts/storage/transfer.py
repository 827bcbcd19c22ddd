"""Moves artifacts in and out of a store: verified when read, and published complete or not at all."""

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
from components.artifacts.storage.fetch import Progress, in_parallel, pull
from components.artifacts.storage.names import UNDERWAY_NAME
from components.artifacts.storage.outputs import check_replaceable
from components.artifacts.storage.place import Place, place_of
from components.artifacts.storage.steady import reading
from components.artifacts.storage.store import ABSENT, ANY, ConflictError, StorageError
from components.artifacts.storage.uris import is_text

PUSHES = 5
"""How often an artifact is written at most while others write to the same place."""


@contextmanager
def incoming(uri: str, kind: str, progress: Progress | None = None) -> Iterator[Path]:
    """A local directory holding the artifact at `uri`, every file checked against its manifest.

    Publish what was made from it outside of the block: only its end shows that the artifact was not replaced.

    Raises:
        ArtifactError: the artifact is missing, damaged, not a `kind`, or was replaced while it was read.
        StorageError: the store fails after all retries.
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
    """A fresh local directory to fill; published at `uri` if the block succeeds, and removed if it raises.

    The block must write the manifest of a `kind`. An artifact of that kind at `uri` is replaced; a symbolic link is
    followed.

    Raises:
        ArtifactError: something else is at `uri`; it is left alone.
        StorageError: the store fails after all retries; nothing is published.
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

    Until then a copy of the manifest under another name lists the files being written or removed, so that the next
    push can replace one that broke off. Files of the previous artifact that this one lacks are removed first, so that
    a complete artifact holds nothing else. If two push at the same time, one of them stays, complete.

    Raises:
        StorageError: the store fails after all retries, or others keep writing there.
    """
    for _ in range(PUSHES):
        with suppress(ConflictError):  # another push finished meanwhile, so the files may be a mixture
            _push_once(directory, place, progress)
            return
    raise StorageError(
        f"{place}: others keep writing there; choose another place, or try again after they have finished"
    )


def _push_once(directory: Path, place: Place, progress: Progress | None) -> None:
    """Write an artifact.

    Raises:
        ConflictError: another artifact's manifest was written meanwhile.
    """
    key, underway = (place / MANIFEST_NAME).key, (place / UNDERWAY_NAME).key
    manifest, data = read_manifest(directory), (directory / MANIFEST_NAME).read_bytes()
    _make_way(place, set(manifest.files))
    place.store.write(underway, data)
    in_parallel(
        [lambda name=name: place.store.upload(directory / name, (place / name).key) for name in manifest.files],  # type: ignore[misc]
        [entry.bytes for entry in manifest.files.values()],
        progress,
    )
    place.store.write(key, data, expected=ABSENT)
    place.store.delete(underway)


def children(uri: str) -> list[str]:
    """The names of the directories directly below `uri`, sorted, except those that are not UTF-8."""
    place = place_of(uri)
    if place.local is not None:
        found = place.local.iterdir() if place.local.is_dir() else ()
        return sorted(child.name for child in found if child.is_dir() and is_text(child.name))
    start = len(place.key.rstrip("/")) + 1 if place.key else 0
    rests = (listed.key[start:] for listed in place.store.list(place.key))
    return sorted({rest.partition("/")[0] for rest in rests if "/" in rest})


def entries(uri: str) -> Iterator[str]:
    """The names of everything directly below `uri`, also hidden ones, in the store's order."""
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
    """Write a small file at `uri`, whole or not at all; see `Store.write`."""
    place = place_of(uri)
    return place.store.write(place.key, data, expected=expected)


def read_file(uri: str) -> tuple[bytes, str] | None:
    """A small file's bytes and version, or None if there is none; see `Store.read`."""
    place = place_of(uri)
    return place.store.read(place.key)


def _make_way(place: Place, names: set[str]) -> None:
    """Remove the artifact at `place`, whole or in part, except files with these names."""
    key, underway = (place / MANIFEST_NAME).key, (place / UNDERWAY_NAME).key
    found = place.store.read(key) or place.store.read(underway)
    if found is None:
        return
    place.store.write(underway, found[0])
    place.store.delete(key)
    with suppress(ArtifactError):
        for name in sorted(parse_manifest(found[0], str(place)).files.keys() - names):
            place.store.delete((place / name).key)
