"""The local disk as a store."""

import fcntl
import hashlib
import logging
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from components.artifacts import machine
from components.artifacts.manifest import is_temporary
from components.artifacts.pace import file_sha256
from components.artifacts.storage.failures import of_file
from components.artifacts.storage.store import ABSENT, ANY, ConflictError, Listed

_LOGGER = logging.getLogger("quillflow")


class LocalStore:
    """Objects are files, keys their absolute paths; a file's version is the SHA-256 of its content.

    A write appears whole or not at all, and is on the disk when it returns.
    """

    def uri(self, key: str) -> str:
        """The path."""
        return key

    def list(self, prefix: str) -> Iterator[Listed]:
        """All files below a directory, except those still being written."""
        with _failures(prefix):
            for path in Path(prefix).rglob("*"):
                if path.is_file() and not any(map(is_temporary, path.relative_to(prefix).parts)):
                    with suppress(FileNotFoundError):
                        status = path.stat()
                        yield Listed(key=str(path), size=status.st_size, updated=status.st_mtime)

    def read(self, key: str) -> tuple[bytes, str] | None:
        """A file's bytes and version."""
        with _failures(key):
            try:
                data = Path(key).read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                return None
        return data, _version(data)

    def version(self, key: str) -> str | None:
        """The SHA-256 of a file's content."""
        with _failures(key):
            try:
                return file_sha256(Path(key))
            except (FileNotFoundError, NotADirectoryError):
                return None

    def write(self, key: str, data: bytes, *, expected: str | None = ANY) -> str:
        """Write a file, following links; conditional writes in one directory take turns."""
        path = Path(os.path.realpath(key))
        with _failures(key), _partial(path) as partial:
            partial.write_bytes(data)
            flush(partial)
            if expected is ANY:
                partial.replace(path)
            else:
                self._replace_expected(partial, path, expected)
            flush(path.parent)
        return _version(data)

    def upload(self, path: Path, key: str) -> None:
        """Copy a file to a place in the store, following links."""
        target = Path(os.path.realpath(key))
        with _failures(key), _partial(target) as partial:
            shutil.copyfile(path, partial)
            flush(partial)
            partial.replace(target)
            flush(target.parent)

    def download(self, key: str, path: Path) -> None:
        """Copy a file from a place in the store."""
        with _failures(key):
            try:
                shutil.copyfile(key, path)
            except NotADirectoryError:
                raise FileNotFoundError(key) from None

    def delete(self, key: str) -> None:
        """Remove a file, if it is there."""
        with _failures(key), suppress(NotADirectoryError):
            Path(key).unlink(missing_ok=True)

    def _replace_expected(self, partial: Path, path: Path, expected: str) -> None:
        with locked(path.with_name(f".{path.name}.lock")):
            found = self.read(str(path))
            if (found[1] if found else ABSENT) != expected:
                raise ConflictError(f"{path}: another process has written it meanwhile")
            partial.replace(path)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file's lock; the kernel drops it however the process ends."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def taking_turns(directory: Path) -> Iterator[None]:
    """Wait for a directory's lock and hold it while the block lasts."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):  # a file system without locks, such as some network ones
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                _LOGGER.info("%s: waiting for another process that is writing there", directory)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def flush(path: Path) -> None:
    """Wait until a file or directory is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        machine.flush(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _partial(path: Path) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        yield partial
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def _failures(key: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise of_file(error.filename2 or error.filename or key, error) from None


def _version(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
