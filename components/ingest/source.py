"""Sources: where a text comes from, as bytes that can be read more than once."""

import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from components.artifacts import storage
from components.artifacts.errors import SourceError, UsageError
from components.artifacts.scratch import scratch_directory
from components.ingest.config import IngestConfig

BUILTIN_SCHEME = "builtin:"
CHUNK_BYTES = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, kw_only=True)
class Source:
    """A source's bytes, decompressed.

    `name` is fit for people and manifests (no secrets); `sha256` and `size` [bytes] are of the source as it
    lies there, compressed or not; `chunks` starts reading anew each time it is called.
    """

    name: str
    size: int
    sha256: str
    chunks: Callable[[], Iterator[bytes]]


@contextmanager
def opened(uri: str, config: IngestConfig) -> Iterator[Source]:
    """The source at `uri`: `builtin:python-docs`, a path, file://, http:// or https://.

    Raises:
        SourceError: there is nothing there, it can't be had, or (while reading) it is damaged or too large.
    """
    if uri.startswith(BUILTIN_SCHEME):
        yield _builtin(uri)
        return
    with (
        scratch_directory() as scratch,
        storage.source_file(
            uri,
            scratch,
            allow_private_hosts=config.allow_private_hosts,
            maximum_bytes=config.maximum_bytes,
        ) as path,
    ):
        name = storage.redacted(uri)
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()

        def chunks() -> Iterator[bytes]:
            with path.open("rb") as raw:
                yield from _checked(raw, name, path.stat().st_size, config)

        yield Source(name=name, size=path.stat().st_size, sha256=sha256, chunks=chunks)


def python_docs() -> str:
    """The reference topics that every CPython carries (pydoc_data), in the order of their names."""
    from pydoc_data.topics import topics

    return "\n".join(topics[name] for name in sorted(topics))


def _builtin(uri: str) -> Source:
    if uri != f"{BUILTIN_SCHEME}python-docs":
        raise UsageError(f"{uri}: no such built-in corpus; there is {BUILTIN_SCHEME}python-docs")
    data = python_docs().encode()
    return Source(name=uri, size=len(data), sha256=hashlib.sha256(data).hexdigest(), chunks=lambda: iter([data]))


def _checked(raw: BinaryIO, name: str, size: int, config: IngestConfig) -> Iterator[bytes]:
    """The chunks of a file, decompressed where it is gzip, within the settings' limits."""
    compressed = raw.read(2) == _GZIP_MAGIC
    raw.seek(0)
    stream: BinaryIO | gzip.GzipFile = gzip.GzipFile(fileobj=raw) if compressed else raw
    read = 0
    while chunk := _read(stream, name):
        read += len(chunk)
        if read > config.maximum_bytes:
            raise SourceError(
                f"{name}: more than ingest.maximum_bytes ({config.maximum_bytes:,}) of text; raise it if meant"
            )
        if compressed and read > CHUNK_BYTES and read > size * config.maximum_gzip_ratio:
            raise SourceError(
                f"{name}: expands more than {config.maximum_gzip_ratio:g} times, as a decompression bomb does; "
                "raise ingest.maximum_gzip_ratio if meant"
            )
        yield chunk


def _read(stream: BinaryIO | gzip.GzipFile, name: str) -> bytes:
    try:
        return stream.read(CHUNK_BYTES)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise SourceError(f"{name}: the gzip data is truncated or damaged ({error})") from None
