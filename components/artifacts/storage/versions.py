"""Names for the content of files, against which it is checked, so that nothing is cached under a wrong name."""

import hashlib
import re
import secrets
from collections.abc import Iterable
from pathlib import PurePosixPath

from components.artifacts.errors import SourceError
from components.artifacts.storage.source import source_at
from components.artifacts.storage.sources import files_of
from components.artifacts.storage.uris import redacted

_COMPARABLE = re.compile(r"[0-9a-f]{64}")


def source_digest(uri: str, *, allow_private_hosts: bool = False) -> str:
    """A name for the bytes at `uri`: their SHA-256, or for a remote file the version that the server gives.

    If there is no way to know, the name is unique; if the file is missing, it is empty.

    Raises:
        StorageError: the bucket fails after all retries.
    """
    found = source_at(uri).digest(allow_private_hosts=allow_private_hosts)
    return unknown_digest() if found is None else found


def digest_of_source(source: str, *, allow_private_hosts: bool) -> str:
    """As `source_digest`, of all files that a source stands for; empty where one is missing.

    Raises:
        SourceError: a directory, glob or prefix has no files.
        UsageError: a file is named twice.
        StorageError: the bucket of one fails for good.
    """
    named = [(uri, source_digest(uri, allow_private_hosts=allow_private_hosts)) for uri in files_of(source)]
    if len(named) == 1:
        return named[0][1]
    if not all(digest for _, digest in named):
        return ""
    return digest_of_files(named) if all(is_comparable(digest) for _, digest in named) else unknown_digest()


def digest_of_files(digests: Iterable[tuple[str, str]]) -> str:
    """A name for the content of several files, from their URIs and SHA-256 or versions, in order."""
    lines = [f"{digest} {PurePosixPath(uri).name}\n" for uri, digest in digests]
    return hashlib.sha256("".join(lines).encode(errors="surrogateescape")).hexdigest()


def unknown_digest() -> str:
    """A unique name for content of unknown version: it never counts as unchanged."""
    return f"once-{secrets.token_hex(32)}"


def is_comparable(digest: str) -> bool:
    """Whether a name identifies content, so that equal names mean equal content."""
    return bool(_COMPARABLE.fullmatch(digest))


def check_unchanged(uri: str, digest: str) -> None:
    """Check that what was read at `uri` still has the name that it had before, if the name identifies content.

    Raises:
        SourceError: it has changed in between.
        StorageError: the bucket fails after all retries.
    """
    if is_comparable(digest):
        refuse_changed(redacted(uri), digest, source_digest(uri))


def refuse_changed(name: str, before: str, now: str) -> None:
    """Reject content that had another name before, if both names identify content; a missing file's is empty.

    Raises:
        SourceError: it has changed.
    """
    if now != before and (is_comparable(now) or not now):
        raise SourceError(
            f"{name}: has changed since the run began, so its result would be cached under the wrong name; run again, "
            "or read a copy that nothing writes to"
        )
