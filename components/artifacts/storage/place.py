"""URIs: which store one means, and where in it."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from components.artifacts.errors import UsageError
from components.artifacts.storage.local import LocalStore
from components.artifacts.storage.store import Store

SCHEMES = "a path, file://, gs://, s3:// or minio://"


@dataclass(frozen=True)
class Place:
    """A key in a store: an object, or a directory of objects."""

    store: Store
    key: str

    def __truediv__(self, name: str) -> "Place":
        """The place `name` below this one."""
        return Place(self.store, f"{self.key.rstrip('/')}/{name}" if self.key else name)

    def __str__(self) -> str:
        return self.store.uri(self.key)

    @property
    def above(self) -> "Place":
        """The place that this one is in; a root is in itself."""
        return Place(self.store, self.key.rpartition("/")[0] or ("/" if self.local else ""))

    @property
    def local(self) -> Path | None:
        """The path, where the store is the local disk."""
        return Path(self.key) if isinstance(self.store, LocalStore) else None

    def overlaps(self, other: "Place") -> bool:
        """Whether the two are the same, or one lies inside the other; on a disk links are followed."""
        parts, others = self.parts, other.parts
        return all(part == another for part, another in zip(parts, others, strict=False))

    @property
    def parts(self) -> tuple[str, ...]:
        """The bucket and the names on the way to the place; on a disk those of the path with its links followed."""
        if self.local is not None:
            return Path(os.path.realpath(self.local)).parts
        bucket = self.store.uri("").replace("minio://", "s3://")
        return (bucket, *self.key.split("/")) if self.key else (bucket,)


def place_of(uri: str) -> Place:
    """The place that a URI names.

    Raises:
        UsageError: the scheme is none that artifacts can be kept at, or the URI names no bucket.
    """
    path = local_path(uri)
    if path is not None:
        return Place(LocalStore(), str(path.absolute()))
    parts = _split(uri)
    if parts.scheme in {"http", "https"}:
        raise UsageError(f"{redacted(uri)}: artifacts can't be kept at http(s); use {SCHEMES}")
    if not parts.netloc:
        raise UsageError(f"{redacted(uri)}: names no bucket; write it as {parts.scheme}://bucket/path")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise UsageError(
            f"{redacted(uri)}: give it without user, query or fragment; credentials come from the environment"
        )
    return Place(_bucket(parts.scheme, parts.netloc), parts.path.strip("/"))


def local_path(uri: str) -> Path | None:
    """The path a local URI names (a plain path or `file://`), or None where it names no local file.

    Raises:
        UsageError: the scheme is none that Quillflow knows.
    """
    scheme, separator, _ = uri.partition("://")
    if not separator:
        return user_path(uri)
    scheme = scheme.lower()
    if scheme == "file":
        return Path(unquote(_split(uri).path))
    if scheme in {"http", "https", "gs", "s3", "minio"}:
        return None
    raise UsageError(f"{redacted(uri)}: unknown scheme {scheme}://; use {SCHEMES}, for sources also http(s)://")


def user_path(text: str) -> Path:
    """A path as people write it, `~` as a home directory.

    Raises:
        UsageError: the home directory is not known, or the name is no text.
    """
    if not is_text(text):
        raise UsageError(f"{text}: this name holds what is no text (bytes that are no UTF-8, or a NUL); rename it")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        whose = text.partition("/")[0]
        raise UsageError(f"{text}: whose home directory {whose} is nobody here knows; write the path in full") from None


def is_text(name: str) -> bool:
    """Whether a name is text that a file's name can be: bytes that are no UTF-8 become halves of surrogate pairs."""
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in name)


def is_web(uri: str) -> bool:
    """Whether a URI is http or https, however it is written."""
    return uri.lower().startswith(("http://", "https://"))


def redacted(uri: str) -> str:
    """The URI without what may be secret in it: user information, query, fragment; for logs and manifests."""
    if "://" not in uri:
        return uri
    parts = _split(uri)
    host = parts.netloc.rpartition("@")[2]
    if "@" in parts.path + parts.query + parts.fragment and not _is_host(host):
        # A password with a / ? or # in it, which should have been escaped, ends the host too soon.
        return redacted(f"{parts.scheme}://{uri.rpartition('@')[2]}")
    return f"{parts.scheme}://{host}{parts.path}"


def _is_host(text: str) -> bool:
    """Whether what stands for a host can be one: what follows its colon is a port."""
    try:
        urlsplit(f"//{text}").port  # noqa: B018 -- raises where it is none
    except ValueError:
        return False
    return True


def _split(uri: str) -> SplitResult:
    try:
        return urlsplit(uri)
    except ValueError:  # its message may quote the URI, secrets and all
        raise UsageError("this is no well-formed URI; write it as scheme://host/path") from None


@cache
def _bucket(scheme: str, name: str) -> Store:
    """The bucket's store, one a process: a client keeps connections."""
    if scheme == "gs":
        from components.artifacts.storage.gcs import GcsStore

        return GcsStore(name)
    from components.artifacts.storage.s3 import S3Store

    return S3Store(name, scheme=scheme)
