"""Reading an artifact on a disk, where another process may publish a new one in its place meanwhile."""

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
    """Verify an artifact; what is read while the block lasts is of this one, or the block ends in an error.

    Raises:
        ArtifactError: it is missing, damaged or not a `kind`, or was replaced while it was read.
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
    """The name of an artifact that is whole, be it replaced now."""
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
    """Whether nothing stands here, as another artifact is just being put in its place."""
    beside = directory.parent.iterdir() if not directory.exists() and directory.parent.is_dir() else ()
    return any(staged_artifact(path.name) == directory.name for path in beside)


def _name(directory: Path) -> tuple[int, int] | None:
    """Names the artifact that stands here now, the same bytes once more included."""
    try:
        status = (directory / MANIFEST_NAME).stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def replaced(place: object) -> ArtifactError:
    """The error of who read an artifact at a place meanwhile."""
    return ArtifactError(f"{place}: was replaced by another artifact while it was read; try again")
