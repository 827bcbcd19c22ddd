"""Fetching the files that a stage reads but no stage made: source texts and lists of prompts."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from components.artifacts import http
from components.artifacts.errors import SourceError
from components.artifacts.storage.place import is_web, local_path, place_of, redacted
from components.artifacts.storage.secrets import whole


@contextmanager
def source_file(uri: str, scratch: Path, *, allow_private_hosts: bool = False, maximum_bytes: int) -> Iterator[Path]:
    """A local file with the bytes at `uri`; a remote one is fetched into the directory `scratch`.

    Raises:
        SourceError: there is nothing at `uri`, it can't be had, or it is larger than `maximum_bytes`.
        StorageError: the bucket it is in fails for good.
    """
    path = local_path(uri)
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
    yield path


def _download(uri: str, path: Path) -> None:
    place = place_of(uri)
    try:
        place.store.download(place.key, path)
    except FileNotFoundError:
        raise SourceError(f"{redacted(uri)}: no such object") from None
