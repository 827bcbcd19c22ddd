"""Removes what the suite has written, file by file and by name: files of others stay."""

import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from functools import partial
from hashlib import sha256
from itertools import groupby
from pathlib import Path

from components.artifacts.manifest import MANIFEST_NAME, parse_manifest
from components.artifacts.storage.failures import of_file
from components.artifacts.storage.fetch import in_parallel
from components.artifacts.storage.names import REMOVAL_NAME, UNDERWAY_NAME
from components.artifacts.storage.place import Place, place_of
from components.artifacts.storage.store import Listed


def remove(uri: str, names: Collection[str]) -> None:
    """Remove the files with these names from the directory at `uri`, and the directory if it is empty then.

    A manifest among them goes first, so no incomplete artifact is visible. A symbolic link is removed, never what it
    points at.

    Raises:
        StorageError: the store fails after all retries.
    """
    _remove(place_of(uri), {*names, UNDERWAY_NAME})


def remove_artifact(uri: str, digest: str) -> bool:
    """Remove the artifact whose manifest has this SHA-256; False if there is none, or another one by now.

    A copy of the manifest lists the files until they are gone: a removal that broke off is found by `unfinished`, and
    continued by calling this again.

    Raises:
        StorageError: the store fails after all retries.
    """
    place = place_of(uri)
    copy = (place / REMOVAL_NAME).key
    found = place.store.read((place / MANIFEST_NAME).key) or place.store.read(copy)
    if found is None or sha256(found[0]).hexdigest() != digest:
        return False
    if place.local is None or not place.local.is_symlink():
        place.store.write(copy, found[0])
    files = parse_manifest(found[0], str(place)).files
    _remove(place, {MANIFEST_NAME, *files, UNDERWAY_NAME, REMOVAL_NAME})
    return True


def _remove(place: Place, names: Collection[str]) -> None:
    """Remove files: the manifest first, the copy that lists the others last."""
    order = {MANIFEST_NAME: -1, REMOVAL_NAME: 1}
    ordered = sorted(names, key=lambda name: (order.get(name, 0), name))
    if place.local is not None:
        try:
            remove_files(place.local, ordered)
        except OSError as error:
            raise of_file(place, error) from None
        return
    for _, together in groupby(ordered, key=lambda name: order.get(name, 0)):
        jobs = [partial(place.store.delete, (place / name).key) for name in together]
        in_parallel(jobs, [0] * len(jobs), None)


def unfinished(root: str) -> Iterator[Listed]:
    """The copies of the manifests of artifacts below `root` whose removal has begun."""
    place = place_of(root)
    if place.local is None:
        yield from (found for found in place.store.list(place.key) if found.key.endswith(f"/{REMOVAL_NAME}"))
        return
    for path in place.local.rglob(REMOVAL_NAME):
        with suppress(FileNotFoundError):
            status = path.stat()
            yield Listed(key=str(path), size=status.st_size, updated=status.st_mtime)


def remove_files(directory: Path, names: Collection[str]) -> None:
    """Remove the files with these names below a local directory, in order, and directories that are empty then."""
    if directory.is_symlink():
        directory.unlink()
        return
    root, emptied = directory.resolve(), {directory}
    for name in names:
        path = directory / name
        if path.parent.resolve() != root / Path(name).parent:  # reached through a link, so in another directory
            continue
        with suppress(FileNotFoundError):
            path.unlink()
        _remove_partials(path)
        emptied.update(above for above in path.parents if above.is_relative_to(directory))
    for above in sorted(emptied, key=lambda path: len(path.parts), reverse=True):
        with suppress(OSError):  # it holds files of others
            above.rmdir()


def _remove_partials(path: Path) -> None:
    """Remove the local store's temporary files for a file."""
    ours = re.compile(rf"\.{re.escape(path.name)}\.(?:[0-9a-f]{{8}}\.partial|lock)")
    for beside in list(path.parent.iterdir()) if path.parent.is_dir() else []:
        if ours.fullmatch(beside.name):
            beside.unlink(missing_ok=True)
