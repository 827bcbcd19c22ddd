"""Sources of text, as bytes that can be read more than once."""

import codecs
import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from components.artifacts import storage
from components.artifacts.errors import SourceError, UsageError
from components.artifacts.pace import file_sha256
from components.artifacts.scratch import scratch_directory
from components.ingest.config import IngestConfig
from components.ingest.kinds import HEAD_BYTES, refuse_what_is_no_text
from components.ingest.packed import Packing, packing_of, unpacked

BUILTIN_SCHEME = "builtin:"
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Source:
    """A source's bytes, decompressed.

    `name` is for people and manifests (without secrets); the ending of `kind_name` gives the kind of text: it is the
    name of the file inside, if the source is compressed with one. `sha256` and `size` [bytes] are of the source as it
    is stored; `chunks` reads from the beginning each time it is called.
    """

    name: str
    kind_name: str
    size: int
    sha256: str
    chunks: Callable[[], Iterator[bytes]]


@contextmanager
def opened(source: str, config: IngestConfig) -> Iterator[list[Source]]:
    """The files of a source, sorted by name.

    They are at paths, file://, http(s):// or in buckets; `-` is standard input, and there is `builtin:python-docs`.

    Raises:
        SourceError: nothing is there, it can't be fetched, or (while reading) it is damaged or too large.
    """
    with scratch_directory() as scratch, ExitStack() as stack:
        found = []
        for number, uri in enumerate(storage.files_of(source)):
            if uri.startswith(BUILTIN_SCHEME):
                found.append(_builtin(uri, config))
                continue
            own = scratch / str(number)
            own.mkdir()
            private, most = config.allow_private_hosts, config.maximum_bytes
            file = storage.source_file(uri, own, allow_private_hosts=private, maximum_bytes=most)
            found.append(_source(stack.enter_context(file), uri, config))
        yield found


def name_of(source: str) -> str:
    """A source as it is shown and stored: its places without secrets, one per line."""
    places = storage.places_of(storage.redacted_source(source))
    return "\n".join("standard input" if place == storage.STANDARD_INPUT else place for place in places)


def one_line_of(source: str) -> str:
    """A source in a single line."""
    return ", ".join(storage.places_of(name_of(source)))


def sha256_of(sources: list[Source]) -> str:
    """A digest of all files' bytes; for a single file its SHA-256."""
    if len(sources) == 1:
        return sources[0].sha256
    return storage.digest_of_files((one.name, one.sha256) for one in sources)


def _source(path: Path, uri: str, config: IngestConfig) -> Source:
    name = name_of(uri)
    packing = packing_of(path, name)
    return Source(
        name=name,
        kind_name=(packing and packing.inside) or name,
        size=path.stat().st_size,
        sha256=file_sha256(path),
        chunks=lambda: _checked(path, packing, name, config),
    )


def python_docs() -> str:
    """The reference topics that come with every CPython (pydoc_data), sorted by name."""
    from pydoc_data.topics import topics

    return "\n".join(topics[name] for name in sorted(topics))


def _builtin(uri: str, config: IngestConfig) -> Source:
    if uri != f"{BUILTIN_SCHEME}python-docs":
        raise UsageError(f"{uri}: no such built-in corpus; there is {BUILTIN_SCHEME}python-docs")
    if codecs.lookup(config.encoding).name != "utf-8":
        raise UsageError(f"ingest.encoding={config.encoding} has no effect on {uri}; leave it at utf-8")
    data = python_docs().encode()
    sha256 = hashlib.sha256(data).hexdigest()
    return Source(name=uri, kind_name=uri, size=len(data), sha256=sha256, chunks=lambda: iter([data]))


def _checked(path: Path, packing: Packing | None, name: str, config: IngestConfig) -> Iterator[bytes]:
    """The chunks of a file, decompressed if necessary, within the settings' limits."""
    size, read = path.stat().st_size, 0
    with path.open("rb") as raw:
        for chunk in unpacked(raw, packing, name, CHUNK_BYTES) if packing else _read(raw):
            if not read:
                refuse_what_is_no_text(chunk[:HEAD_BYTES], name)
            read += len(chunk)
            if read > config.maximum_bytes:
                raise SourceError(
                    f"{name}: more than ingest.maximum_bytes ({config.maximum_bytes:,}) of text; "
                    "raise it if this is intended"
                )
            if packing and read > CHUNK_BYTES and read > size * config.maximum_gzip_ratio:
                raise SourceError(
                    f"{name}: expands more than {config.maximum_gzip_ratio:g} times, as a decompression bomb does; "
                    "raise ingest.maximum_gzip_ratio if meant"
                )
            yield chunk


def _read(raw: IO[bytes]) -> Iterator[bytes]:
    while chunk := raw.read(CHUNK_BYTES):
        yield chunk


def digest_of(source: str, *, allow_private_hosts: bool) -> str:
    """A digest of the content of a source's files, as `storage.source_digest`; empty if one is missing.

    Raises:
        SourceError: a directory, glob or prefix has no files.
        UsageError: a file is named twice.
        StorageError: a bucket fails after all retries.
    """
    named = [(uri, _digest(uri, allow_private_hosts=allow_private_hosts)) for uri in storage.files_of(source)]
    if len(named) == 1:
        return named[0][1]
    if not all(digest for _, digest in named):
        return ""
    known = all(storage.is_comparable(digest) for _, digest in named)
    return storage.digest_of_files(named) if known else storage.unknown_digest()


def check_unchanged(source: str, digest: str, config: IngestConfig) -> None:
    """Check that the files read still have the digest that they had when the run began, if it identifies content.

    Raises:
        SourceError: one has changed, is gone, or is new.
    """
    if storage.is_comparable(digest):
        now = digest_of(source, allow_private_hosts=config.allow_private_hosts)
        storage.refuse_changed(one_line_of(source), digest, now)


def _digest(uri: str, *, allow_private_hosts: bool) -> str:
    if uri.startswith(BUILTIN_SCHEME):
        return hashlib.sha256(python_docs().encode()).hexdigest()
    return storage.source_digest(uri, allow_private_hosts=allow_private_hosts)
