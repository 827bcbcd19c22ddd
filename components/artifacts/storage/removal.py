"""Removes what the suite has written, file by file and by name: files of others stay."""

import re
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from components.artifacts.manifest import MANIFEST_NAME
from components.artifacts.storage.failures import of_file
from components.artifacts.storage.names import UNDERWAY_NAME
from components.artifacts.storage.place import place_of


def remove(uri: str, names: Collection[str]) -> None:
    """Remove the files with these names from the directory at `uri`, and the directory if it is empty then.

    The manifest goes first, so no incomplete artifact is visible. A symbolic link is removed, never its target.

    Raises:
        StorageError: the store fails after all retries.
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
