"""Digests of what a run's cache must notice, which are passed as task parameters.

Kubeflow's cache key is a task's image, command and arguments: it covers neither a source file's bytes nor the code
that a component imports.
"""

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import components
from components.artifacts import storage
from components.artifacts.manifest import MANIFEST_NAME
from components.artifacts.storage import StorageError
from components.artifacts.version import VERSION
from components.command import log
from components.train.committed import newest_digest


def digest_of(uri: str, *, allow_private_hosts: bool) -> str:
    """A digest of the bytes at `uri`: their SHA-256, or for a remote file the version that the server gives.

    If the server gives none, or a bucket can't be asked from here, the digest is unique each time: such a source never
    counts as unchanged. A missing file has an empty digest; the stage that needs it reports the error.
    """
    if not uri:
        return ""
    return _reported(lambda: storage.source_digest(uri, allow_private_hosts=allow_private_hosts))


def digest_of_artifact(uri: str) -> str:
    """A digest of the artifact at `uri` from its manifest, as `digest_of`; empty if there is none."""
    return digest_of(f"{uri.rstrip('/')}/{MANIFEST_NAME}", allow_private_hosts=False) if uri else ""


def digest_of_checkpoints(uri: str) -> str:
    """A digest of the newest checkpoint at `uri`, as `digest_of`; empty if there is none."""
    return _reported(lambda: newest_digest(uri)) if uri else ""


def _reported(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except StorageError as error:
        log.warning(f"unknown whether it has changed, so the cache is not used: {error}")
        return storage.unknown_digest()


def digest_of_source(source: str, *, allow_private_hosts: bool) -> str:
    """As `digest_of`, for all files of a source; empty if one is missing.

    Raises:
        SourceError: a directory or glob has no files.
        UsageError: a file is named twice.
    """
    return _reported(lambda: storage.digest_of_source(source, allow_private_hosts=allow_private_hosts))


@cache
def suite_version() -> str:
    """The suite's version, with a digest of the stages' code: an edited checkout is a different version."""
    digest = hashlib.sha256()
    root = Path(next(iter(components.__path__)))
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return f"{VERSION}+{digest.hexdigest()[:12]}"
