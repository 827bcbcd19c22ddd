"""Decompresses files as they are read: gzip, bzip2, xz, and zip with one file in it, or with a chat and its photos."""

import bz2
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from components.artifacts.errors import SourceError
from components.ingest.formats import exports

XZ_MEMORY_BYTES = 256 << 20
"""The memory that an xz stream may require; the strongest preset of `xz` takes 65 MiB."""
_ZIP = b"PK\x03\x04"
_DOCUMENTS = {
    "word/": "a Word document (.docx)",
    "xl/": "an Excel workbook (.xlsx)",
    "ppt/": "a PowerPoint presentation (.pptx)",
    "META-INF/container.xml": "an EPUB book",
    "META-INF/manifest.xml": "an OpenDocument file (.odt, .ods)",
    "META-INF/MANIFEST.MF": "a Java archive",
}
_ERRORS = (EOFError, OSError, lzma.LZMAError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError)


@contextmanager
def damage_reported(packing: str, name: str) -> Iterator[None]:
    """Turn the decompression libraries' errors into one line.

    Raises:
        SourceError: one of them raised an error.
    """
    try:
        yield
    except _ERRORS as error:
        if "password" in str(error):
            raise SourceError(f"{name}: the {packing} is protected by a password; unpack it first") from None
        raise SourceError(f"{name}: the {packing} data is truncated or damaged ({error})") from None


@dataclass(frozen=True)
class Packing:
    """A compression: its name for people, the name of the file inside if there is one, and how to open it.

    `size` is what the compressed data take of the file, in bytes, if there are others in it; otherwise 0.
    """

    name: str
    inside: str
    open: Callable[[IO[bytes]], Any]
    size: int = 0


def packing_of(path: Path, name: str) -> Packing | None:
    """The compression of the file at a path, or None. `name` is its name for errors.

    Raises:
        SourceError: it is a zip archive without exactly one file or chat in it, or damaged.
    """
    with path.open("rb") as raw:
        head = raw.read(10)
        if head.startswith(b"\x1f\x8b"):
            return Packing("gzip", "", lambda raw: gzip.GzipFile(fileobj=raw))
        if head.startswith(b"BZh") and head[4:] == b"1AY&SY":
            return Packing("bzip2", "", bz2.BZ2File)
        if head.startswith(b"\xfd7zXZ\0"):
            return Packing("xz", "", _Xz)
        if head.startswith(_ZIP):
            with damage_reported("zip", name), zipfile.ZipFile(raw) as archive:
                member = _only_member(archive.namelist(), name)
                size = archive.getinfo(member).compress_size
            return Packing("zip", member, lambda raw: zipfile.ZipFile(raw).open(member), size)
    return None


def unpacked(raw: IO[bytes], packing: Packing, name: str, size: int) -> Iterator[bytes]:
    """The unpacked bytes of an open file in chunks of `size`.

    Raises:
        SourceError: the data are truncated, damaged or protected by a password.
    """
    with damage_reported(packing.name, name):
        stream = packing.open(raw)
    while chunk := _read(stream, size, packing, name):
        yield chunk


def _read(stream: Any, size: int, packing: Packing, name: str) -> bytes:
    with damage_reported(packing.name, name):
        return bytes(stream.read(size))


def _only_member(names: list[str], name: str) -> str:
    for beginning, kind in _DOCUMENTS.items():
        if any(member.startswith(beginning) for member in names):
            raise SourceError(f"{name}: is {kind}, not plain text; save it as plain text first, a table as CSV")
    files = [member for member in names if not member.endswith("/") and not _is_of_a_system(member)]
    files = files if len(files) == 1 else exports(files) or files
    if len(files) != 1:
        raise SourceError(
            f"{name}: is a zip archive of {len(files):,} files; unpack it and name the directory with its files"
        )
    return files[0]


def _is_of_a_system(member: str) -> bool:
    """Whether a file in an archive was added by an operating system."""
    return member.startswith("__MACOSX/") or member.rpartition("/")[2].startswith(".")


class _Xz:
    """An xz file as a stream that takes at most XZ_MEMORY_BYTES of memory."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self._stream: lzma.LZMADecompressor | None = None
        self._data = b""

    def read(self, size: int) -> bytes:
        """At most `size` unpacked bytes; none at the end."""
        while True:
            if self._stream is None or self._stream.eof:
                rest = self._stream.unused_data if self._stream else b""
                while not (rest := rest.lstrip(b"\0")):  # there may be zeros between streams
                    if not (rest := self._raw.read(size)):
                        return b""
                self._stream, self._data = lzma.LZMADecompressor(memlimit=XZ_MEMORY_BYTES), rest
            elif self._stream.needs_input and not (data := self._raw.read(size)):
                raise EOFError("it ends too early")
            elif self._stream.needs_input:
                self._data = data
            found = self._stream.decompress(self._data, size)
            self._data = b""
            if found:
                return found
