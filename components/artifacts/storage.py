"""Where artifacts are kept: the only module that knows URI schemes.

A stage reads an artifact through `incoming` and writes one through `outgoing`; between them it sees
local directories only. What `outgoing` publishes appears under its final name complete or not at all.
"""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from components.artifacts import http
from components.artifacts.errors import ArtifactError, SourceError, UsageError
from components.artifacts.manifest import MANIFEST_NAME, verify


def local_path(uri: str) -> Path | None:
    """The path a local URI names (a plain path or `file://`), or None where it names no local file.

    Raises:
        UsageError: the scheme is none that Quillflow knows.
    """
    scheme, separator, _ = uri.partition("://")
    if not separator:
        return Path(uri).expanduser()
    if scheme == "file":
        return Path(unquote(urlsplit(uri).path))
    if scheme in {"http", "https"}:
        return None
    raise UsageError(f"{redacted(uri)}: unknown scheme {scheme}://; use a path, file://, http:// or https://")


def redacted(uri: str) -> str:
    """The URI without what may be secret in it (user information, query, fragment), for logs and manifests."""
    if "://" not in uri:
        return uri
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


@contextmanager
def incoming(uri: str, kind: str) -> Iterator[Path]:
    """A local directory holding the artifact at `uri`, every file checked against its manifest.

    Raises:
        ArtifactError: the artifact is missing, damaged or not a `kind`.
    """
    path = _local_directory(uri)
    verify(path, kind)
    yield path


@contextmanager
def outgoing(uri: str) -> Iterator[Path]:
    """A fresh local directory to fill; published at `uri` when the block ends well, dropped when it does not.

    The block must leave a manifest. An artifact that stands at `uri` already is replaced.

    Raises:
        ArtifactError: something stands at `uri` that is no artifact; it is left alone.
    """
    target = _local_directory(uri)
    _refuse_foreign(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    staging.mkdir()
    try:
        yield staging
        if not (staging / MANIFEST_NAME).is_file():
            raise RuntimeError(f"nothing wrote the manifest of {target}")
        _flush_to_disk(staging)
        _replace(target, staging)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def join(uri: str, name: str) -> str:
    """The URI of `name` below `uri`."""
    return f"{uri.rstrip('/')}/{name}"


def children(uri: str) -> list[str]:
    """The names of the directories right below `uri`, sorted; none where there is no such place."""
    path = _local_directory(uri)
    return sorted(child.name for child in path.iterdir() if child.is_dir()) if path.is_dir() else []


def remove(uri: str) -> None:
    """Remove the directory at `uri` and all below it; the manifest goes first, so no torn artifact shows."""
    path = _local_directory(uri)
    (path / MANIFEST_NAME).unlink(missing_ok=True)
    shutil.rmtree(path, ignore_errors=True)


def write_file(uri: str, data: bytes) -> None:
    """Put a small file at `uri`, whole or not at all, in place of what was there."""
    path = _local_directory(uri)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    partial.write_bytes(data)
    partial.replace(path)


@contextmanager
def source_file(uri: str, scratch: Path, *, allow_private_hosts: bool = False, maximum_bytes: int) -> Iterator[Path]:
    """A local file with the bytes at `uri`; a remote one is fetched into the directory `scratch`.

    Raises:
        SourceError: there is nothing at `uri`, it can't be had, or it is larger than `maximum_bytes`.
    """
    path = local_path(uri)
    if path is None:
        path = scratch / "source"
        http.fetch(
            uri,
            path,
            name=redacted(uri),
            allow_private_hosts=allow_private_hosts,
            maximum_bytes=maximum_bytes,
        )
    if not path.is_file():
        raise SourceError(f"{path}: " + ("is a directory, name a file" if path.is_dir() else "no such file"))
    yield path


def _local_directory(uri: str) -> Path:
    path = local_path(uri)
    if path is None:
        raise UsageError(f"{redacted(uri)}: artifacts can't be kept at http(s); use a path or file://")
    return path


def _refuse_foreign(target: Path) -> None:
    """Overwriting is for artifacts only: a mistyped path must not cost anybody their files."""
    if target.is_dir() and not (target / MANIFEST_NAME).is_file() and any(target.iterdir()):
        raise ArtifactError(f"{target}: holds files that are no artifact; choose another place or empty it")
    if target.exists() and not target.is_dir():
        raise ArtifactError(f"{target}: is a file; an artifact is a directory, choose another place")


def _replace(target: Path, staging: Path) -> None:
    """Put `staging` where `target` is; the old one goes only when the new one stands."""
    old = staging.with_suffix(".old")
    if target.exists():
        target.rename(old)
    staging.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _flush_to_disk(directory: Path) -> None:
    for path in [*directory.rglob("*"), directory]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
