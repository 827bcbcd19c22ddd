"""Writes an artifact to a local disk: into a directory next to its target, which replaces the target once complete."""

import errno
import os
import secrets
import shutil
import time
from contextlib import suppress
from pathlib import Path

from components.artifacts.errors import ArtifactError
from components.artifacts.manifest import MANIFEST_NAME, read_manifest
from components.artifacts.storage.local import flush
from components.artifacts.storage.names import staged_artifact
from components.artifacts.storage.removal import remove_files

SWEPT_AFTER_SECONDS = 24 * 3600
ATTEMPTS = 10
_TAKEN = (errno.ENOTEMPTY, errno.EEXIST)


def begin(target: Path) -> Path:
    """An empty directory next to `target`, on the same disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep(target)
    staging = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}.partial")
    staging.mkdir()
    return staging


def publish(staging: Path, target: Path) -> None:
    """Move `staging` to `target`; the old artifact is removed only after that.

    If two processes publish at the same time, the later artifact stays, complete.

    Raises:
        ArtifactError: others put files into the old artifact meanwhile; they are kept, and the error names them.
    """
    for path in [*staging.rglob("*"), staging]:
        flush(path)
    old = staging.with_suffix(".old")
    for attempt in range(ATTEMPTS):
        with suppress(FileNotFoundError):
            target.rename(old)
        try:
            staging.rename(target)
            break
        except OSError as error:
            if error.errno in _TAKEN and attempt < ATTEMPTS - 1:  # another process has just published here
                _remove_artifact(old)
                continue
            if old.exists() and not target.exists():
                old.rename(target)
            raise
    flush(target.parent)
    _remove_artifact(old)
    if old.exists():
        raise ArtifactError(f"{target}: is written; files that others added to the previous artifact are kept in {old}")


def _remove_artifact(directory: Path) -> None:
    """Remove the files that an artifact's manifest lists, and nothing else."""
    with suppress(FileNotFoundError):
        listed = read_manifest(directory).files if (directory / MANIFEST_NAME).exists() else {}
        remove_files(directory, [MANIFEST_NAME, *listed])


def _sweep(target: Path) -> None:
    """Remove what processes killed while writing `target` left next to it.

    A former version is removed only if `target` exists: after a kill between the two renames it is all there is.
    """
    for beside in list(target.parent.iterdir()):
        if staged_artifact(beside.name) == target.name and beside.is_dir() and _is_left(beside):
            if beside.suffix == ".partial":
                shutil.rmtree(beside, ignore_errors=True)
            elif target.exists():
                with suppress(ArtifactError, OSError):
                    _remove_artifact(beside)


def _is_left(directory: Path) -> bool:
    """Whether nothing below a directory has changed for a long time."""
    touched = [directory.stat().st_mtime, *(path.lstat().st_mtime for path in directory.rglob("*"))]
    return time.time() - max(touched) > SWEPT_AFTER_SECONDS
