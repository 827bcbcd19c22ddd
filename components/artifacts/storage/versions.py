"""Names for what files hold: what is read is held against them, so that nothing is kept under another's name."""

import hashlib
import re
import secrets
from collections.abc import Iterable
from pathlib import PurePosixPath

from components.artifacts import http
from components.artifacts.errors import SourceError
from components.artifacts.pace import file_sha256
from components.artifacts.storage.place import place_of
from components.artifacts.storage.secrets import whole
from components.artifacts.storage.uris import is_web, local_path, redacted

_COMPARABLE = re.compile(r"[0-9a-f]{64}")


def source_digest(uri: str, *, allow_private_hosts: bool = False) -> str:
    """Names the bytes at `uri`: their SHA-256, or where they are remote what the server says of their version.

    Where that can't be told the name is like no other; what is missing has an empty one.

    Raises:
        StorageError: the bucket fails for good.
    """
    path = local_path(uri)
    if path is not None:
        return file_sha256(path) if path.is_file() else ""
    if is_web(uri):
        said = http.version(whole(uri), allow_private_hosts=allow_private_hosts)
        return hashlib.sha256(said.encode()).hexdigest() if said else unknown_digest()
    place = place_of(uri)
    version = place.store.version(place.key)
    return "" if version is None else hashlib.sha256(f"{uri} {version}".encode()).hexdigest()


def digest_of_files(digests: Iterable[tuple[str, str]]) -> str:
    """Names what several files hold, by their URIs and SHA-256 or versions, in order."""
    lines = [f"{digest} {PurePosixPath(uri).name}\n" for uri, digest in digests]
    return hashlib.sha256("".join(lines).encode(errors="surrogateescape")).hexdigest()


def unknown_digest() -> str:
    """A name for what can't be told from anything else: it is never taken for unchanged."""
    return f"once-{secrets.token_hex(32)}"


def is_comparable(digest: str) -> bool:
    """Whether what has this name can be known again by it."""
    return bool(_COMPARABLE.fullmatch(digest))


def check_unchanged(uri: str, digest: str) -> None:
    """Hold what has been read at `uri` against the name that it had before, where that name can be told again.

    Raises:
        SourceError: it has changed in between.
        StorageError: the bucket fails for good.
    """
    if is_comparable(digest):
        refuse_changed(redacted(uri), digest, source_digest(uri))


def refuse_changed(name: str, before: str, now: str) -> None:
    """Refuse what had another name before, if both names tell something; what is gone has an empty one.

    Raises:
        SourceError: it has changed.
    """
    if now != before and (is_comparable(now) or not now):
        raise SourceError(
            f"{name}: has changed since the run began, so what is made of it would go by the name of what it was; "
            "run again, or read a copy that nothing writes to"
        )
