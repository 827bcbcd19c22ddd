"""Temporary directories of a process; the next process removes those of a process that was killed."""

import fcntl
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

PREFIX = "quillflow-scratch-"
SWEPT_AFTER_SECONDS = 60.0
"""The least age of a directory that is removed: a process that has just made one is about to lock it."""
_OURS = re.compile(rf"{PREFIX}[a-z0-9_]{{8}}")  # as tempfile names them
_held: dict[Path, int] = {}
_holding = Lock()  # several threads of one process may make directories at once


@contextmanager
def scratch_directory() -> Iterator[Path]:
    """A temporary directory, removed when the block ends."""
    directory = make_scratch()
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        _release_gone()


def make_scratch() -> Path:
    """A temporary directory that the caller removes, or the next process after this one has ended."""
    _release_gone()
    _sweep(Path(tempfile.gettempdir()))
    directory = Path(tempfile.mkdtemp(prefix=PREFIX))
    with suppress(OSError):  # a file system without locks, such as some network ones: nothing is removed there
        lock = _hold(directory)
        with _holding:
            _held[directory] = lock
    return directory


def _hold(directory: Path) -> int:
    """Hold a directory's lock; the kernel drops it however the process ends."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _release_gone() -> None:
    """Drop the locks of directories that are gone."""
    with _holding:
        for directory in [held for held in _held if not held.exists()]:
            os.close(_held.pop(directory))


def _sweep(parent: Path) -> None:
    """Remove this user's temporary directories that no process holds."""
    for found in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):  # another user's, a file or link, or already gone
            status = found.lstat()
            young = time.time() - status.st_mtime < SWEPT_AFTER_SECONDS
            if young or status.st_uid != os.getuid() or not _OURS.fullmatch(found.name):
                continue
            lock = _hold(found)
            try:
                shutil.rmtree(found, ignore_errors=True)
            finally:
                os.close(lock)
