"""Why a store failed, in our own words: other libraries' messages may hold URLs, and these secrets."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from components.artifacts.storage.store import StorageError

_PASSING = frozenset({408, 429, 500, 502, 503, 504})


def is_of_this_machine(error: BaseException) -> bool:
    """Whether a local file failed and not the network: libraries raise OSError for both."""
    network = isinstance(error, ConnectionError | TimeoutError)
    return isinstance(error, OSError) and error.errno is not None and not network


def of_file(name: object, error: OSError) -> StorageError:
    """The error for a local file that can't be read or written."""
    if is_full(error):
        return StorageError(f"{name}: {full(name)}; make room or choose another place")
    return StorageError(f"{name}: {error.strerror or type(error).__name__}; check the disk or choose another place")


def is_full(error: OSError) -> bool:
    """Whether a disk, or the user's quota on it, is full; HDF5 says so only in its message."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT} or f"errno = {errno.ENOSPC}," in str(error)


def full(name: object) -> str:
    """A message that there is no room for a file of this name, with the free space at its place."""
    place = Path(str(name)).absolute()
    there = next(path for path in (place, *place.parents) if path.exists())
    usage = shutil.disk_usage(there)
    return f"{os.strerror(errno.ENOSPC)}: {usage.free:,} of {usage.total:,} bytes are free"


@contextmanager
def full_disk_named(name: object) -> Iterator[None]:
    """Turn an error that a disk is full into one that names the file or directory and the free space.

    Raises:
        StorageError: it is full.
    """
    try:
        yield
    except OSError as error:
        if not is_full(error):
            raise
        raise of_file(error.filename or name, error) from error


def passes(status: int) -> bool:
    """Whether this status is temporary: the server is busy, or broken for now."""
    return status in _PASSING


def network_cause(error: BaseException) -> str:
    """Why a connection failed, according to the innermost error."""
    kind, cause = type(error).__name__, None
    step: BaseException | None = error
    while step is not None:
        if isinstance(step, OSError) and step.strerror:
            cause = step.strerror.lower()
        step = step.__cause__ or step.__context__
    return cause or ("no answer in time" if "Timeout" in kind else "the connection broke off")


def one_line(text: object, *, limit: int = 400) -> str:
    """A server's message as one line, cut between two words after `limit` characters."""
    words = " ".join(str(text).split())
    if len(words) <= limit:
        return words.rstrip(".")
    whole = words[: limit + 1].rpartition(" ")[0]
    return f"{whole or words[:limit]} ..."


def in_brackets(*parts: str | None) -> str:
    """The remarks that are not empty, in brackets, to follow a sentence."""
    said = "; ".join(filter(None, parts))
    return f" ({said})" if said else ""
