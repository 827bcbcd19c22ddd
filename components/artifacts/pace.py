"""How far long work is, told now and then; and the two that are the same everywhere: hashing a file and moving one."""

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
    """Tell how far the work is; the display shows as many of these as suit it."""
    _LOGGER.log(PROGRESS, "%s", message)


class Pace:
    """Progress of work that goes on in small pieces: at most one line a second, the first after a second."""

    def __init__(self) -> None:
        self._told = time.monotonic()

    def progress(self, message: str) -> None:
        """Tell how far the work is, if it is time."""
        now = time.monotonic()
        if now - self._told >= SECONDS_OF_A_PACE:
            self._told = now
            progress(message)


class Travel:
    """Progress of one object on its way, called with bytes as they come or go, by any thread.

    `name` is what it is called; `total` its bytes, 0 where that is not known.
    """

    def __init__(self, name: str, total: int = 0) -> None:
        self._name, self._of = name, f" of {size(total)}" if total else ""
        self._done, self._pace, self._turn = 0, Pace(), threading.Lock()

    def __call__(self, count: int) -> None:
        """Note that so many bytes more have travelled."""
        with self._turn:
            self._done += count
            self._pace.progress(f"{self._name}: {size(self._done)}{self._of} transferred")


class TravellingFile:
    """A file that tells how far into it what reads or writes it is."""

    def __init__(self, file: IO[bytes], travel: Travel) -> None:
        self._file, self._travel, self._at = file, travel, 0

    def read(self, size: int = -1) -> bytes:
        """As the file's own."""
        return self._telling(self._file.read(size))

    def write(self, data: bytes) -> int:
        """As the file's own."""
        return self._telling(self._file.write(data))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def _telling(self, done: _T) -> _T:
        before, self._at = self._at, self._file.tell()
        self._travel(self._at - before)
        return done


def file_sha256(path: Path, pace: Pace | None = None) -> str:
    """A file's SHA-256 as lowercase hex; `pace` is of the work that this is a part of."""
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
