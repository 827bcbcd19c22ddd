"""Fetching the files that a stage reads but no stage made: source texts and lists of prompts.

A source is one place or several, one a line; a place is a file, or a directory, a glob or a bucket's prefix, which
stand for the files they have. Names that begin with a dot are no part of those, as in a shell. In a bucket * alone
makes a glob, and other characters stand for themselves. What is read is held against the name that its bytes had
before, so that nothing is kept under another's name.
"""

import glob
import hashlib
import os
import re
import secrets
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from components.artifacts import http
from components.artifacts.errors import SourceError, UsageError
from components.artifacts.storage.place import place_of
from components.artifacts.storage.secrets import whole
from components.artifacts.storage.uris import is_web, local_path, redacted

STANDARD_INPUT = "-"
_COMPARABLE = re.compile(r"[0-9a-f]{64}")
_DIRECTORIES = r"(?:(?!\.)[^/]*/)*"


def places_of(source: str) -> list[str]:
    """The places that a source names, one a line."""
    return [place for place in source.split("\n") if place]


def redacted_source(source: str) -> str:
    """A source without what may be secret in the URIs of its places."""
    return "\n".join(map(redacted, places_of(source)))


def files_of(source: str) -> list[str]:
    """The URIs of the files that a source stands for, in the order of their names, none twice.

    Raises:
        SourceError: a directory, glob or prefix has no files.
        UsageError: a file is named twice.
    """
    files = [file for place in places_of(source) for file in _files_at(place)]
    for file in files:
        if files.count(file) > 1:
            raise UsageError(f"--source: {redacted(file)} is named twice")
    return sorted(files, key=lambda file: file.split("/"))


def digest_of_files(digests: Iterable[tuple[str, str]]) -> str:
    """Names what several files hold, by their URIs and SHA-256 or versions, in order."""
    lines = [f"{digest} {PurePosixPath(uri).name}\n" for uri, digest in digests]
    return hashlib.sha256("".join(lines).encode(errors="surrogateescape")).hexdigest()


def is_pipe(uri: str) -> bool:
    """Whether a place can be read but once, and by this process alone: standard input, or a pipe that has a name."""
    path = local_path(uri) if not uri.startswith("builtin:") else None
    return uri == STANDARD_INPUT or (path is not None and path.exists() and not (path.is_file() or path.is_dir()))


def glob_base(path: Path) -> Path:
    """The path itself, or the directory below which a glob that is no file looks."""
    while not path.exists() and glob.has_magic(str(path)):
        path = path.parent
    return path


def _files_at(uri: str) -> list[str]:
    if uri.startswith("builtin:") or uri == STANDARD_INPUT or is_web(uri):
        return [uri]
    path = local_path(uri)
    if path is None:
        return _in_bucket(uri)
    if not path.exists() and glob.has_magic(str(path)):
        matches = glob.glob(str(path), recursive=True)  # noqa: PTH207 -- pathlib's takes no absolute pattern
        found = [file for match in matches for file in _below(Path(match))]
        files = list(dict.fromkeys(found))  # ** finds a directory and what is in it
    elif path.is_dir():
        files = _below(path)
    else:
        return [uri]
    if not files:
        raise SourceError(f"{uri}: no files there")
    return files


def _below(path: Path) -> list[str]:
    if not path.is_dir():
        return [str(path)]
    files = []
    for directory, names, others in os.walk(path):
        names[:] = [name for name in names if not name.startswith(".")]
        for name in names:
            if Path(directory, name).is_symlink():
                raise SourceError(f"{Path(directory, name)}: is a link to a directory; name the directory itself")
        files += [str(Path(directory, name)) for name in others if not name.startswith(".")]
    return files


def _in_bucket(uri: str) -> list[str]:
    place = place_of(uri)
    if place.key and not uri.endswith("/") and place.store.version(place.key) is not None:
        return [uri]
    above, star, _ = place.key.partition("*")
    below = _below_in_bucket(place.key)
    listed = place.store.list(above.rpartition("/")[0] if star else place.key)
    files = [place.store.uri(found.key) for found in listed if below.fullmatch(f"{found.key}/")]
    if not files and (star or uri.endswith("/")):
        raise SourceError(f"{uri}: no files there")
    return files or [uri]


def _below_in_bucket(key: str) -> re.Pattern[str]:
    """What the keys of a directory or a glob match, a / put at their end; ** stands for directories, or none."""
    pattern = ""
    for name in key.split("/") if key else []:
        hidden = r"(?!\.)" if name.startswith("*") else ""
        pattern += _DIRECTORIES if name == "**" else f"{hidden}{'[^/]*'.join(map(re.escape, name.split('*')))}/"
    return re.compile(pattern + _DIRECTORIES, re.DOTALL)


def _spool(raw: BinaryIO, path: Path, name: str, maximum_bytes: int) -> None:
    with path.open("wb") as file:
        while chunk := raw.read(1 << 20):
            file.write(chunk)
            if file.tell() > maximum_bytes:
                raise SourceError(f"{name}: larger than ingest.maximum_bytes ({maximum_bytes:,}); raise it if meant")


def spool(uri: str, path: Path, maximum_bytes: int) -> None:
    """Write what comes through a pipe to a file.

    Raises:
        SourceError: it is more than `maximum_bytes`.
    """
    if uri == STANDARD_INPUT:
        _spool(sys.stdin.buffer, path, "standard input", maximum_bytes)
        return
    with (local_path(uri) or Path(uri)).open("rb") as raw:
        _spool(raw, path, uri, maximum_bytes)


@contextmanager
def source_file(uri: str, scratch: Path, *, allow_private_hosts: bool = False, maximum_bytes: int) -> Iterator[Path]:
    """A local file with the bytes at `uri`; a remote one is fetched into the directory `scratch`.

    Raises:
        SourceError: there is nothing at `uri`, it can't be had, is larger than `maximum_bytes`, or was written to
            while the block lasted.
        StorageError: the bucket it is in fails for good.
    """
    path = local_path(uri)
    if is_pipe(uri):
        path = scratch / "source"
        spool(uri, path, maximum_bytes)
    if path is None:
        path = scratch / "source"
        if is_web(uri):
            http.fetch(
                whole(uri),
                path,
                name=redacted(uri),
                allow_private_hosts=allow_private_hosts,
                maximum_bytes=maximum_bytes,
            )
        else:
            _download(uri, path)
    if not path.is_file():
        raise SourceError(f"{path}: " + ("is a directory, name a file" if path.is_dir() else "no such file"))
    before = _state(path)
    try:
        yield path
    except SourceError:
        if _state(path) == before:
            raise
    if _state(path) != before:
        raise SourceError(f"{path}: changed while it was read; try again when nothing writes to it, or read a copy")


def source_digest(uri: str, *, allow_private_hosts: bool = False) -> str:
    """Names the bytes at `uri`: their SHA-256, or where they are remote what the server says of their version.

    Where that can't be told the name is like no other; what is missing has an empty one.

    Raises:
        StorageError: the bucket fails for good.
    """
    path = local_path(uri)
    if path is not None:
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    if is_web(uri):
        said = http.version(whole(uri), allow_private_hosts=allow_private_hosts)
        return hashlib.sha256(said.encode()).hexdigest() if said else unknown_digest()
    place = place_of(uri)
    version = place.store.version(place.key)
    return "" if version is None else hashlib.sha256(f"{uri} {version}".encode()).hexdigest()


def unknown_digest() -> str:
    """A name for what can't be told from anything else: it is never taken for unchanged."""
    return f"once-{secrets.token_hex(32)}"


def is_comparable(digest: str) -> bool:
    """Whether what has this name can be known again by it."""
    return bool(_COMPARABLE.fullmatch(digest))


def check_unchanged(uri: str, digest: str, *, allow_private_hosts: bool = False) -> None:
    """Hold what has been read at `uri` against the name that it had before, where that name can be told again.

    Raises:
        SourceError: it has changed in between.
        StorageError: the bucket fails for good.
    """
    if not is_comparable(digest):
        return
    now = source_digest(uri, allow_private_hosts=allow_private_hosts)
    if now != digest and (is_comparable(now) or not now):
        raise SourceError(
            f"{redacted(uri)}: has changed since the run began, so what is made of it would go by the name of what it "
            "was; run again, or read a copy that nothing writes to"
        )


def _state(path: Path) -> tuple[int, ...]:
    """What tells a file that was written to, or another in its place; all zero where none is."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return (0,) * 5
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _download(uri: str, path: Path) -> None:
    place = place_of(uri)
    try:
        place.store.download(place.key, path)
    except FileNotFoundError:
        raise SourceError(f"{redacted(uri)}: no such object") from None
