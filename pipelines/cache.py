"""What a run's cache must notice, named by digests that travel as task parameters.

Kubeflow keys a task by its image, command and arguments: it sees neither a source file's bytes nor the
code a component imports.
"""

import hashlib
import secrets
from functools import cache
from pathlib import Path

import components
from components.artifacts import http, storage
from components.artifacts.storage import StorageError
from components.artifacts.version import VERSION
from components.command import log


def digest_of(uri: str, *, allow_private_hosts: bool) -> str:
    """Names the bytes at `uri`: their SHA-256, or where they are remote what the server says of their version.

    A server that says nothing, or a bucket that can't be asked from here, gives a name of its own each time: such a
    source is never taken for unchanged. What is missing gets an empty name; the stage that needs it says so.
    """
    if not uri:
        return ""
    if uri.startswith("builtin:"):
        from components.ingest.source import python_docs

        return hashlib.sha256(python_docs().encode()).hexdigest()
    path = storage.local_path(uri)
    if path is not None:
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    if not storage.is_web(uri):
        return _digest_in_bucket(uri)
    said = http.version(storage.whole(uri), allow_private_hosts=allow_private_hosts)
    return hashlib.sha256(said.encode()).hexdigest() if said else secrets.token_hex(32)


def _digest_in_bucket(uri: str) -> str:
    place = storage.place_of(uri)
    try:
        version = place.store.version(place.key)
    except StorageError as error:
        log.warning(f"whether it has changed can't be told from here, so no cache will answer: {error}")
        return secrets.token_hex(32)
    return "" if version is None else hashlib.sha256(f"{uri} {version}".encode()).hexdigest()


def digest_of_source(source: str, *, allow_private_hosts: bool) -> str:
    """As `digest_of`, of all files that a source stands for; empty where one is missing.

    Raises:
        SourceError: a directory or glob has no files.
        UsageError: a file is named twice.
    """
    try:
        files = storage.files_of(source)
    except StorageError as error:
        log.warning(f"whether it has changed can't be told from here, so no cache will answer: {error}")
        return secrets.token_hex(32)
    digests = [(uri, digest_of(uri, allow_private_hosts=allow_private_hosts)) for uri in files]
    if len(digests) == 1:
        return digests[0][1]
    return storage.digest_of_files(digests) if all(digest for _, digest in digests) else ""


@cache
def suite_version() -> str:
    """The suite's version, with a digest of its stages' code: an edited checkout is a version of its own."""
    digest = hashlib.sha256()
    root = Path(next(iter(components.__path__)))
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return f"{VERSION}+{digest.hexdigest()[:12]}"
