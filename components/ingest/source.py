"""Sources of text, as bytes that can be read more than once."""

import codecs
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from components.artifacts import storage
from components.artifacts.builtin import SCHEME
from components.artifacts.errors import SourceError, UsageError
from components.artifacts.pace import file_sha256
from components.artifacts.scratch import scratch_directory
from components.ingest.config import IngestConfig
from components.ingest.kinds import HEAD_BYTES, refuse_what_is_no_text
from components.ingest.packed import Packing, packing_of, unpacked

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class SourceFile:
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
def opened(source: str, config: IngestConfig) -> Iterator[list[SourceFile]]:
    """The files of a source, sorted by name.

    They are at paths, file://, http(s):// or in buckets; `-` is standard input, and there is `builtin:python-docs`.

    Raises:
        SourceError: nothing is there, it can't be fetched, or (while reading) it is damaged or too large.
    """
    with scratch_directory() as scratch, ExitStack() as stack:
        found = []
        for number, uri in enumerate(storage.files_of(source)):
            _refuse_encoding(uri, config)
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


def sha256_of(sources: list[SourceFile]) -> str:
    """A digest of all files' bytes; for a single file its SHA-256."""
    if len(sources) == 1:
        return sources[0].sha256
    return storage.digest_of_files((one.name, one.sha256) for one in sources)


def _source(path: Path, uri: str, config: IngestConfig) -> SourceFile:
    name = name_of(uri)
    packing = packing_of(path, name)
    return SourceFile(
        name=name,
        kind_name=(packing and packing.inside) or name,
        size=path.stat().st_size,
        sha256=file_sha256(path),
        chunks=lambda: _checked(path, packing, name, config),
    )


def _refuse_encoding(uri: str, config: IngestConfig) -> None:
    """Reject an encoding for a text that has its own."""
    if uri.startswith(SCHEME) and codecs.lookup(config.encoding).name != "utf-8":
        raise UsageError(f"ingest.encoding={config.encoding} has no effect on {uri}; leave it at utf-8")


def _checked(path: Path, packing: Packing | None, name: str, config: IngestConfig) -> Iterator[bytes]:
    """The chunks of a file, decompressed if necessary, within the settings' limits."""
    size, read = path.stat().st_size, 0
    size = min(size, packing.size or size) if packing else size
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


def check_unchanged(source: str, digest: str, config: IngestConfig) -> None:
    """Check that the files read still have the digest that they had when the run began, if it identifies content.

    Raises:
        SourceError: one has changed, is gone, or is new.
    """
    if storage.is_comparable(digest):
        now = storage.digest_of_source(source, allow_private_hosts=config.allow_private_hosts)
        storage.refuse_changed(one_line_of(source), digest, now)
