"""Places: the store that a URI names, and the key in it."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from components.artifacts.errors import UsageError
from components.artifacts.storage.buckets import KIND_OF
from components.artifacts.storage.local import LocalStore
from components.artifacts.storage.store import Store
from components.artifacts.storage.uris import SCHEMES, bucket_uri, is_web, local_path, redacted


@dataclass(frozen=True)
class Place:
    """A key in a store: an object, or a directory of objects."""

    store: Store
    key: str

    def __truediv__(self, name: str) -> "Place":
        """The place `name` below this one."""
        return Place(self.store, f"{self.key}/{name}" if self.key not in {"", "/"} else f"{self.key}{name}")

    def __str__(self) -> str:
        return self.store.uri(self.key)

    @property
    def above(self) -> "Place":
        """The place that contains this one; a root contains itself."""
        return Place(self.store, self.key.rpartition("/")[0] or ("/" if self.local else ""))

    @property
    def local(self) -> Path | None:
        """The path, if the store is the local disk."""
        return Path(self.key) if isinstance(self.store, LocalStore) else None

    def overlaps(self, other: "Place") -> bool:
        """Whether the two are the same, or one is inside the other; on a disk links are followed."""
        parts, others = self.parts, other.parts
        return all(part == another for part, another in zip(parts, others, strict=False))

    @property
    def parts(self) -> tuple[str, ...]:
        """The bucket and the names in the key; on a disk those of the path with its links resolved."""
        if self.local is not None:
            return Path(os.path.realpath(self.local)).parts
        scheme, _, bucket = self.store.uri("").partition("://")
        return _parts(scheme, bucket, self.key)


def place_of(uri: str) -> Place:
    """The place that a URI names.

    Raises:
        UsageError: artifacts can't be stored under the scheme, or the URI names no bucket or holds secrets.
    """
    path = local_path(uri)
    if path is not None:
        return Place(LocalStore(), str(path.absolute()))
    scheme, bucket, key = _in_bucket(uri)
    return Place(_bucket(scheme, bucket), key)


def parts_of(uri: str) -> tuple[str, ...]:
    """The parts of the place that a URI names, without opening its store; raises as `place_of`."""
    if local_path(uri) is not None:
        return place_of(uri).parts
    return _parts(*_in_bucket(uri))


def _parts(scheme: str, bucket: str, key: str) -> tuple[str, ...]:
    whole = f"{KIND_OF[scheme].schemes[0]}://{bucket}"
    return (whole, *key.split("/")) if key else (whole,)


def _in_bucket(uri: str) -> tuple[str, str, str]:
    """The scheme, the bucket and the key of a URI that is not local."""
    if is_web(uri):
        raise UsageError(f"{redacted(uri)}: artifacts can't be stored at http(s); use {SCHEMES}")
    scheme, _, bucket, key = bucket_uri(uri)
    if f"/{key}".endswith("//"):
        raise UsageError(f"{uri}: names a directory with an empty name; end it with one /, or name an object in it")
    return scheme, bucket, key.removesuffix("/")


@cache
def _bucket(scheme: str, name: str) -> Store:
    """The bucket's store, one per process: a client keeps connections."""
    return KIND_OF[scheme].opened(scheme, name)
