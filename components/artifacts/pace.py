"""Occasional progress of long work, and the two kinds that are the same everywhere: hashing a file and moving one."""

import hashlib
import logging
import threading
import time
from pathlib import Path
from typing import IO, Any, TypeVar

PROGRESS = logging.INFO - 5  # between DEBUG and INFO
SECONDS_OF_A_PACE = 1.0
_CHUNK_BYTES = 1 << 20
_T = TypeVar("_T")
_LOGGER = logging.getLogger("quillflow")


def progress(message: str) -> None:
    """Log how far the work is; the display decides how many of these it shows."""
    _LOGGER.log(PROGRESS, "%s", message)


class Pace:
    """Progress of work in small pieces: at most one line per second, the first after a second."""

    def __init__(self) -> None:
        self._reported = time.monotonic()

    def progress(self, message: str) -> None:
        """Log how far the work is, if a line is due."""
        now = time.monotonic()
        if now - self._reported >= SECONDS_OF_A_PACE:
            self._reported = now
            progress(message)


class Travel:
    """Progress of one object's transfer, called with the bytes transferred, by any thread.

    `name` is for people; `total` is its size in bytes, 0 if unknown.
    """

    def __init__(self, name: str, total: int = 0) -> None:
        self._name, self._of = name, f" of {size(total)}" if total else ""
        self._done, self._pace, self._turn = 0, Pace(), threading.Lock()

    def __call__(self, count: int) -> None:
        """Add to the bytes transferred so far."""
        with self._turn:
            self._done += count
            self._pace.progress(f"{self._name}: {size(self._done)}{self._of} transferred")


class TravellingFile:
    """A file that reports how far it has been read or written."""

    def __init__(self, file: IO[bytes], travel: Travel) -> None:
        self._file, self._travel, self._at = file, travel, 0

    def read(self, size: int = -1) -> bytes:
        """Read as from the file."""
        return self._count(self._file.read(size))

    def write(self, data: bytes) -> int:
        """Write as to the file."""
        return self._count(self._file.write(data))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def _count(self, done: _T) -> _T:
        before, self._at = self._at, self._file.tell()
        self._travel(self._at - before)
        return done


def file_sha256(path: Path, pace: Pace | None = None) -> str:
    """A file's SHA-256 as lowercase hex; `pace` is that of the work that hashing is part of, if any."""
    pace, digest, total = pace or Pace(), hashlib.sha256(), size(path.stat().st_size)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            pace.progress(f"{path}: {size(file.tell())} of {total} checked")
    return digest.hexdigest()


def size(count: float) -> str:
    """A number of bytes in the unit that suits it."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:  # noqa: PLR2004 -- the next unit
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
