"""Fetches files that a stage reads but no stage made: source texts and lists of prompts.

A source is one or more places, one per line. A place is a file, or a directory, a glob or a bucket's prefix, which
mean all files in them. As in a shell, names that begin with a dot are left out. In a bucket only * makes a glob; other
characters stand for themselves.
"""

import glob
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from components.artifacts import http
from components.artifacts.errors import SourceError, UsageError
from components.artifacts.storage.place import place_of
from components.artifacts.storage.secrets import whole
from components.artifacts.storage.uris import is_web, local_path, redacted

STANDARD_INPUT = "-"
_DIRECTORIES = r"(?:(?!\.)[^/]*/)*"


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
    for file in (file for place in places_of(source) for file in _files_at(place)):
        first = files.setdefault(_itself(file), file)
        if first is not file:
            also = "" if first == file else f", as {redacted(first)} too"
            raise UsageError(f"--source: {redacted(file)} is named twice{also}; its text would be read twice")
    return sorted(files.values(), key=lambda file: file.split("/"))


def is_pipe(uri: str) -> bool:
    """Whether a place can be read only once, and only by this process: standard input, or a named pipe."""
    path = local_path(uri) if not uri.startswith("builtin:") else None
    return uri == STANDARD_INPUT or (path is not None and path.exists() and not (path.is_file() or path.is_dir()))


def glob_base(path: Path) -> Path:
    """The path itself, or for a glob the directory below which it searches."""
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
        files = list(dict.fromkeys(found))  # ** finds a directory and the files in it
    elif path.is_dir():
        files = _below(path)
    else:
        return [uri]
    if not files:
        raise SourceError(f"{uri}: no files there")
    return files


def _itself(uri: str) -> str:
    """What identifies a place: for a file its real path, with links resolved."""
    path = local_path(uri) if not (uri.startswith("builtin:") or uri == STANDARD_INPUT) else None
    return uri if path is None else os.path.realpath(path)


def _below(path: Path) -> list[str]:
    """The files at or below a path, as full paths, so that no file named - or ~ means something else."""
    path = path.absolute()
    if not path.is_dir():
        return [str(path)]
    files = []
    for directory, names, others in os.walk(path, onerror=_refuse_unreadable):
        names[:] = [name for name in names if not name.startswith(".")]
        for name in names:
            if Path(directory, name).is_symlink():
                raise SourceError(f"{Path(directory, name)}: is a link to a directory; name the directory itself")
        files += [Path(directory, name) for name in others if not name.startswith(".")]
    for file in files:
        if file.exists() and not file.is_file():
            raise SourceError(f"{file}: is not a file but a pipe, socket or device; move it elsewhere")
    return [str(file) for file in files]


def _refuse_unreadable(error: OSError) -> None:
    raise SourceError(f"{error.filename}: {error.strerror}, so its files would be left out") from None


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
    """The pattern of the keys in a directory or glob, with a / added at their end; ** matches any directories."""
    pattern = ""
    for name in key.split("/") if key else []:
        hidden = r"(?!\.)" if name.startswith("*") else ""
        pattern += _DIRECTORIES if name == "**" else f"{hidden}{'[^/]*'.join(map(re.escape, name.split('*')))}/"
    return re.compile(pattern + _DIRECTORIES, re.DOTALL)


def spool(uri: str, path: Path, maximum_bytes: int) -> None:
    """Copy a pipe to a file.

    Raises:
        SourceError: it is larger than `maximum_bytes`.
    """
    name = "standard input" if uri == STANDARD_INPUT else uri
    pipe = nullcontext(sys.stdin.buffer) if uri == STANDARD_INPUT else (local_path(uri) or Path(uri)).open("rb")
    with pipe as raw, path.open("wb") as file:
        while chunk := raw.read(1 << 20):
            file.write(chunk)
            if file.tell() > maximum_bytes:
                raise SourceError(
                    f"{name}: larger than ingest.maximum_bytes ({maximum_bytes:,}); raise it if this is intended"
                )


@contextmanager
def source_file(uri: str, scratch: Path, *, allow_private_hosts: bool = False, maximum_bytes: int) -> Iterator[Path]:
    """A local file with the bytes at `uri`; a remote one is fetched into the directory `scratch`.

    Raises:
        SourceError: nothing is at `uri`, it can't be fetched, is larger than `maximum_bytes`, or was written to while
            the block lasted.
        StorageError: its bucket fails after all retries.
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


def _download(uri: str, path: Path) -> None:
    place = place_of(uri)
    try:
        place.store.download(place.key, path)
    except FileNotFoundError:
        raise SourceError(f"{redacted(uri)}: no such object") from None
