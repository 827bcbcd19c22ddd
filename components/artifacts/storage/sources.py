"""Fetches files that a stage reads but no stage made: source texts and lists of prompts.

A source is one or more places, one per line. A place is a file, or a directory, a glob or a bucket's prefix, which
mean all files in them.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from components.artifacts.errors import SourceError, UsageError
from components.artifacts.storage.source import source_at
from components.artifacts.storage.uris import redacted


def places_of(source: str) -> list[str]:
    """The places that a source names, one per line."""
    return [place for place in source.split("\n") if place]


def redacted_source(source: str) -> str:
    """A source without the secrets in the URIs of its places."""
    return "\n".join(map(redacted, places_of(source)))


def files_of(source: str) -> list[str]:
    """The URIs of a source's files, sorted by name, none twice.

    Raises:
        SourceError: a directory, glob or prefix has no files, or some that can't be read.
        UsageError: a file is named twice, or by a link to it too.
    """
    files: dict[str, str] = {}
    for file in (file for place in places_of(source) for file in source_at(place).files()):
        first = files.setdefault(_itself(file), file)
        if first is not file:
            also = "" if first == file else f", as {redacted(first)} too"
            raise UsageError(f"--source: {redacted(file)} is named twice{also}; its text would be read twice")
    return sorted(files.values(), key=lambda file: file.split("/"))


def _itself(uri: str) -> str:
    """What identifies a place: for a file its real path, with links resolved."""
    path = source_at(uri).path
    return uri if path is None else os.path.realpath(path)


@contextmanager
def source_file(uri: str, scratch: Path, *, allow_private_hosts: bool = False, maximum_bytes: int) -> Iterator[Path]:
    """A local file with the bytes at `uri`; a remote one is fetched into the directory `scratch`.

    Raises:
        SourceError: nothing is at `uri`, it can't be fetched, is larger than `maximum_bytes`, or was written to while
            the block lasted.
        StorageError: its bucket fails after all retries.
    """
    path = source_at(uri).fetched(scratch, allow_private_hosts=allow_private_hosts, maximum_bytes=maximum_bytes)
    if not path.is_file():
        raise SourceError(f"{path}: " + ("is a directory, name a file" if path.is_dir() else "no such file"))
    before = _state(path)
    try:
        yield path
    except (SourceError, FileNotFoundError):
        if _state(path) == before:
            raise
    if _state(path) != before:
        raise SourceError(f"{path}: changed while it was read; wait until nothing writes to it, or read a copy")


def _state(path: Path) -> tuple[int, ...]:
    """What changes when a file is written to or replaced; all zero if there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return (0,) * 5
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
