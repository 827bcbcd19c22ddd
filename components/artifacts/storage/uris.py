"""URIs as text: what kind of place one names, and what in it may be secret.

In http(s), ? and # begin a query or fragment, which may be a secret. In the names of files and of objects in buckets
they are ordinary characters, so only user information and what looks like a signature count as secret there.
"""

import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from components.artifacts.errors import UsageError
from components.artifacts.storage.buckets import KIND_OF, schemes_in_words

SCHEMES = f"a path, file://, {schemes_in_words()}"
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SIGNATURE = re.compile(
    r"(\?[^\s'\"<>?]*)?[?&#](X-(Amz|Goog)-[\w-]+|AWSAccessKeyId|GoogleAccessId|Signature|sig)=[^\s'\"<>]*",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_URI = re.compile(rf"{_SCHEME.pattern}://[^\s'\"<>]+")


class BucketUri(NamedTuple):
    """The parts of a bucket's URI, verbatim; `user` is empty if there is none."""

    scheme: str
    user: str
    bucket: str
    key: str


def scheme_of(uri: str) -> str:
    """The scheme in lowercase; empty for a path."""
    scheme, separator, _ = uri.partition("://")
    return scheme.lower() if separator else ""


def is_web(uri: str) -> bool:
    """Whether a URI is http or https, in any case."""
    return scheme_of(uri) in {"http", "https"}


def is_in_bucket(uri: str) -> bool:
    """Whether a URI names a bucket or something in one."""
    return scheme_of(uri) in KIND_OF


def bucket_uri(uri: str) -> BucketUri:
    """The parts of a bucket's URI.

    Raises:
        UsageError: it names no bucket, or holds secrets.
    """
    parts = _parts(uri)
    if redacted(uri) != _plain(uri):
        raise UsageError(
            f"{redacted(uri)}: leave out the user or signature, as in {parts.scheme}://bucket/path; credentials come "
            "from the environment"
        )
    if not _BUCKET.fullmatch(parts.bucket):
        raise UsageError(f"{redacted(uri)}: names no bucket; write it as {parts.scheme}://bucket/path")
    _as_text(uri)
    return parts


def local_path(uri: str) -> Path | None:
    """The path that a local URI names (a plain path or `file://`), or None if it is not local.

    Raises:
        UsageError: the scheme is unknown, or no file can have the name.
    """
    scheme = scheme_of(uri)
    if not scheme:
        return user_path(uri)
    if scheme == "file":
        host, slash, path = uri.partition("://")[2].partition("/")
        if not slash or host.lower() not in {"", "localhost"}:
            raise UsageError(f"{redacted(uri)}: is not on this machine; write it as file:///path, or as a path")
        return Path(_as_text(f"/{unquote(path)}"))
    if is_web(uri) or is_in_bucket(uri):
        return None
    raise UsageError(f"{redacted(uri)}: unknown scheme {scheme}://; use {SCHEMES}, for sources also http(s)://")


def user_path(text: str) -> Path:
    """A path as people write it, `~` as a home directory.

    Raises:
        UsageError: the home directory is unknown, or the name is not text.
    """
    try:
        return Path(_as_text(text)).expanduser()
    except RuntimeError:
        whose = text.partition("/")[0]
        raise UsageError(f"{text}: the home directory of {whose} is unknown here; write the path in full") from None


def is_text(name: str) -> bool:
    """Whether a name can be a file's name: bytes that are not UTF-8 become halves of surrogate pairs."""
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in name)


def redacted(uri: str) -> str:
    """The URI without its possible secrets: user information, signature, and for http(s) the query and fragment."""
    scheme = scheme_of(uri)
    if not scheme:
        return uri
    if not _SCHEME.fullmatch(scheme):  # a path with a URI in it
        return without_secrets(uri)
    if scheme == "file" or is_in_bucket(uri):
        parts = _parts(uri)
        if not parts.user and not _BUCKET.fullmatch(parts.bucket) and "@" in parts.key and scheme != "file":
            # An unescaped / in a password ends the bucket's name too soon.
            return redacted(f"{scheme}://{parts.key.rpartition('@')[2]}")
        rest = _plain(uri).partition("://")[2].removeprefix(f"{parts.user}@" if parts.user else "")
        return f"{scheme}://{rest if scheme == 'file' else _unsigned(rest)}"
    whole = _split(uri)
    host = whole.netloc.rpartition("@")[2]
    if "@" in whole.path + whole.query + whole.fragment and not _is_host(host):
        # So does an unescaped / ? or #.
        return redacted(f"{scheme}://{uri.rpartition('@')[2]}")
    return f"{scheme}://{host}{whole.path}"


def has_secrets(uri: str) -> bool:
    """Whether a URI may hold secrets: what `redacted` removes, except the number that `bare` adds.

    Raises:
        UsageError: it is not a well-formed URI.
    """
    if not is_web(uri):
        return redacted(uri) != _plain(uri)
    parts = _split(uri)
    whole_path = f"{parts.scheme}://{parts.netloc}{parts.path}"
    return redacted(uri) != whole_path or bool(parts.query) or not (parts.fragment or "1").isdecimal()


def without_secrets(message: str) -> str:
    """A message without the possible secrets of the URIs in it."""
    # A signed URI may contain a blank, at which it seems to end in a message.
    return _SIGNATURE.sub("", _URI.sub(_without_secrets, message))


def _without_secrets(found: re.Match[str]) -> str:
    try:
        return redacted(found[0])
    except UsageError:
        return f"{scheme_of(found[0])}://..."


def _parts(uri: str) -> BucketUri:
    authority, _, key = uri.partition("://")[2].partition("/")
    user, _, bucket = authority.rpartition("@")
    return BucketUri(scheme=scheme_of(uri), user=user, bucket=bucket, key=key)


def _plain(uri: str) -> str:
    """The URI with its scheme in lowercase."""
    scheme = scheme_of(uri)
    return scheme + uri[len(scheme) :]


def _unsigned(text: str) -> str:
    """The part before a query that looks signed; all of it if none does."""
    found = _SIGNATURE.search(text)
    return text[: found.start()] if found else text


def _as_text(name: str) -> str:
    if not is_text(name):
        raise UsageError(f"{name}: this name is not text (it holds bytes that are not UTF-8, or a NUL); rename it")
    return name


def _is_host(text: str) -> bool:
    """Whether a text can be a host: what follows its colon is a port."""
    try:
        urlsplit(f"//{text}").port  # noqa: B018 -- raises where it is none
    except ValueError:
        return False
    return True


def _split(uri: str) -> SplitResult:
    try:
        return urlsplit(uri)
    except ValueError:  # its message may quote the URI with its secrets
        raise UsageError("this is not a well-formed URI; write it as scheme://host/path") from None
