"""What a run's cache must notice, named by digests that travel as task parameters.

Kubeflow keys a task by its image, command and arguments: it sees neither a source file's bytes nor the
code a component imports.
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
from components.train.checkpoints import newest_digest


def digest_of(uri: str, *, allow_private_hosts: bool) -> str:
    """Names the bytes at `uri`: their SHA-256, or where they are remote what the server says of their version.

    A server that says nothing, or a bucket that can't be asked from here, gives a name of its own each time: such a
    source is never taken for unchanged. What is missing gets an empty name; the stage that needs it says so.
    """
    if not uri:
        return ""
    return _told(lambda: storage.source_digest(uri, allow_private_hosts=allow_private_hosts))


def digest_of_artifact(uri: str) -> str:
    """Names the artifact at `uri` by its manifest, as `digest_of` does; empty for none."""
    return digest_of(f"{uri.rstrip('/')}/{MANIFEST_NAME}", allow_private_hosts=False) if uri else ""


def digest_of_checkpoints(uri: str) -> str:
    """Names the newest checkpoint at `uri`, as `digest_of` does; empty for none."""
    return _told(lambda: newest_digest(uri)) if uri else ""


def _told(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except StorageError as error:
        log.warning(f"whether it has changed can't be told from here, so no cache will answer: {error}")
        return storage.unknown_digest()


def digest_of_source(source: str, *, allow_private_hosts: bool) -> str:
    """As `digest_of`, of all files that a source stands for; empty where one is missing.

    Raises:
        SourceError: a directory or glob has no files.
        UsageError: a file is named twice.
    """
    from components.ingest.source import digest_of

    return _told(lambda: digest_of(source, allow_private_hosts=allow_private_hosts))


@cache
def suite_version() -> str:
    """The suite's version, with a digest of its stages' code: an edited checkout is a version of its own."""
    digest = hashlib.sha256()
    root = Path(next(iter(components.__path__)))
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return f"{VERSION}+{digest.hexdigest()[:12]}"
