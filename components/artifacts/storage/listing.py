"""The files that a directory, a glob or a bucket's prefix stands for.

Names that begin with a dot are no part of those, as in a shell. In a bucket * alone makes a glob, and other characters
stand for themselves.
"""

import glob
import os
import re
from pathlib import Path

from components.artifacts.errors import SourceError
from components.artifacts.storage.place import place_of

_DIRECTORIES = r"(?:(?!\.)[^/]*/)*"


def glob_base(path: Path) -> Path:
    """The path itself, or for a glob the directory below which it searches."""
    while not path.exists() and glob.has_magic(str(path)):
        path = path.parent
    return path


def files_on_disk(uri: str, path: Path) -> list[str]:
    """The URIs of the files that a path stands for: itself, `uri`, where it is a file or nothing.

    Raises:
        SourceError: a directory or glob has no files, or what is there can't be read as some.
    """
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


def files_in_bucket(uri: str) -> list[str]:
    """The URIs of the files of an object, a prefix or a glob in a bucket.

    Raises:
        SourceError: a prefix that ends in / or a glob has no files.
    """
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
