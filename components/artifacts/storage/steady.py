"""Reads an artifact on a disk that another process may replace meanwhile."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from components.artifacts.errors import ArtifactError
from components.artifacts.manifest import MANIFEST_NAME, verify
from components.artifacts.storage.names import staged_artifact

TRIES, WAIT_SECONDS = 20, 0.02


@contextmanager
def reading(directory: Path, kind: str) -> Iterator[None]:
    """Verify an artifact; everything read while the block lasts belongs to it, or the block ends in an error.

    Raises:
        ArtifactError: it is missing, damaged, not a `kind`, or was replaced while it was read.
    """
    name = _verified(directory, kind)
    try:
        yield
    except Exception as error:
        if _name(directory) == name:
            raise
        raise replaced(directory) from error
    if _name(directory) != name:
        raise replaced(directory)


def _verified(directory: Path, kind: str) -> tuple[int, int]:
    """The digest of a complete artifact, even if it is being replaced."""
    for _ in range(TRIES):
        name = _name(directory)
        try:
            verify(directory, kind)
        except ArtifactError:
            if _name(directory) == name and not _is_underway(directory):
                raise
            time.sleep(WAIT_SECONDS)
        else:
            if name is not None and _name(directory) == name:
                return name
    raise replaced(directory)


def _is_underway(directory: Path) -> bool:
    """Whether the place is empty because another artifact is just being moved there."""
    beside = directory.parent.iterdir() if not directory.exists() and directory.parent.is_dir() else ()
    return any(staged_artifact(path.name) == directory.name for path in beside)


def _name(directory: Path) -> tuple[int, int] | None:
    """Identifies the artifact now at this place; the same bytes written again count as another."""
    try:
        status = (directory / MANIFEST_NAME).stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def replaced(place: object) -> ArtifactError:
    """The error for an artifact that was replaced while it was read."""
    return ArtifactError(f"{place}: was replaced by another artifact while it was read; try again")
