"""Removing what the suite has written, file by file under the names that it gave: what others put there stays."""

import re
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from components.artifacts.manifest import MANIFEST_NAME
from components.artifacts.storage.failures import of_file
from components.artifacts.storage.names import UNDERWAY_NAME
from components.artifacts.storage.place import place_of


def remove(uri: str, names: Collection[str]) -> None:
    """Remove the files of these names from the directory at `uri`, and the directory where nothing else is in it.

    The manifest goes first, so no torn artifact shows. Of a symbolic link on a disk only the link goes.

    Raises:
        StorageError: the store fails for good.
    """
    place = place_of(uri)
    ordered = sorted({*names, UNDERWAY_NAME}, key=lambda name: name != MANIFEST_NAME)
    if place.local is not None:
        try:
            remove_files(place.local, ordered)
        except OSError as error:
            raise of_file(place, error) from None
        return
    for name in ordered:
        place.store.delete((place / name).key)


def remove_files(directory: Path, names: Collection[str]) -> None:
    """Remove the files of these names below a local directory, in order, and directories that are empty then."""
    if directory.is_symlink():
        directory.unlink()
        return
    root, emptied = directory.resolve(), {directory}
    for name in names:
        path = directory / name
        if path.parent.resolve() != root / Path(name).parent:  # by a link, into somebody else's directory
            continue
        with suppress(FileNotFoundError):
            path.unlink()
        _remove_partials(path)
        emptied.update(above for above in path.parents if above.is_relative_to(directory))
    for above in sorted(emptied, key=lambda path: len(path.parts), reverse=True):
        with suppress(OSError):  # somebody else's file is in it
            above.rmdir()


def _remove_partials(path: Path) -> None:
    """Remove what the local store keeps beside a file that it writes."""
    ours = re.compile(rf"\.{re.escape(path.name)}\.(?:[0-9a-f]{{8}}\.partial|lock)")
    for beside in list(path.parent.iterdir()) if path.parent.is_dir() else []:
        if ours.fullmatch(beside.name):
            beside.unlink(missing_ok=True)
