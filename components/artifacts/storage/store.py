"""What a store of objects can do, the same for a local disk and a bucket.

An object's version changes with each write and is all that conditional writes compare. `ABSENT` stands for
"no object there", `ANY` for "whatever is there".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from components.artifacts.errors import QuillflowError

ABSENT = ""
ANY = None


class StorageError(QuillflowError):
    """A store can't be reached, refuses or breaks off, after all retries."""


class AwayError(StorageError):
    """A store can't be reached or fails temporarily, after all retries."""

    may_pass = True


class ConflictError(StorageError):
    """A conditional write found another version than it expected; nothing was written."""


class NoConditionsError(StorageError):
    """A store ignores or refuses conditional writes, so it can't keep two writers apart."""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """An object in a listing: its key, size in bytes, and time of its last change in seconds since 1970."""

    key: str
    size: int
    updated: float


class Store(Protocol):
    """One bucket, or the local disk. Keys are paths with `/`; errors name objects by `uri(key)`.

    Every method raises StorageError if the store fails after all retries.
    """

    def uri(self, key: str) -> str:
        """The object's URI, for people."""
        ...

    def list(self, prefix: str) -> Iterator[Listed]:
        """All objects below the directory `prefix`, in any order."""
        ...

    def read(self, key: str) -> tuple[bytes, str] | None:
        """A small object's bytes and version, or None if there is none."""
        ...

    def version(self, key: str) -> str | None:
        """An object's version without its bytes, or None if there is none."""
        ...

    def write(self, key: str, data: bytes, *, expected: str | None = ANY) -> str:
        """Write a small object whole; its new version.

        Raises:
            ConflictError: the object there is not of the `expected` version.
        """
        ...

    def upload(self, path: Path, key: str) -> None:
        """Write an object of any size from a local file, its checksum checked on arrival."""
        ...

    def download(self, key: str, path: Path) -> None:
        """Write an object of any size to a local file, its checksum checked on arrival."""
        ...

    def delete(self, key: str) -> None:
        """Remove an object, if it is there."""
        ...
