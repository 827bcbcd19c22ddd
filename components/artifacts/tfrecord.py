"""TFRecord files of blocks of bytes, written and read without TensorFlow.

Its import takes seconds and half a gigabyte, more than all the rest of vectorize. A file is a run of records: the
data's length as uint64 and the data, each followed by its checksum (a masked CRC-32C as uint32), all little-endian.
The data is a serialized tf.train.Example with one bytes feature `ids`, which holds one block.
"""

import os
import struct
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import google_crc32c

from components.artifacts.errors import ArtifactError

CHECKSUM_BYTES = 4
# What opens each message that an Example nests around its block, the innermost first; each one's length follows.
# They are the value, its list of bytes, the feature with its key, the list of features, and the Features.
_OPENINGS = (b"\n", b"\n", b"\n\x03ids\x12", b"\n", b"\n")
LONGEST_HEAD = len(b"".join(_OPENINGS)) + len(_OPENINGS) * 5  # a length under 2**35 takes at most five bytes


def write_block(file: BinaryIO, block: bytes) -> None:
    """Append a block as one record."""
    write_record(file, _head(len(block)) + block)


def write_record(file: BinaryIO, data: bytes) -> None:
    """Append a record."""
    length = struct.pack("<Q", len(data))
    file.write(b"".join((length, _checksum(length), data, _checksum(data))))


def read_blocks(path: Path) -> Iterator[memoryview]:
    """The blocks of a file, one by one.

    Raises:
        ArtifactError: the file is missing, truncated or damaged, or a record is not what `write_block` writes.
    """
    try:
        with path.open("rb") as file:
            end = os.fstat(file.fileno()).st_size
            while file.tell() < end:
                (size,) = struct.unpack("<Q", _checked(file, 8, end))
                yield _block(_checked(file, size, end))
    except FileNotFoundError:
        raise ArtifactError(f"{path}: missing; vectorize the corpus again") from None
    except _UnreadableError as error:
        raise ArtifactError(f"{path}: {error}; vectorize the corpus again") from None


class _UnreadableError(Exception):
    """What is wrong with a record."""


def _checked(file: BinaryIO, size: int, end: int) -> bytes:
    """The next `size` bytes of a file that ends at `end`, once the checksum after them was checked."""
    if file.tell() + size + CHECKSUM_BYTES <= end:
        data = file.read(size)
        if file.read(CHECKSUM_BYTES) == _checksum(data):
            return data
    raise _UnreadableError("truncated or damaged")


def _checksum(data: bytes) -> bytes:
    """The masked CRC-32C: rotated by 15 bits, plus a constant, since data may contain checksums itself."""
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


@lru_cache
def _head(size: int) -> bytes:
    """What precedes a block of `size` bytes in its Example."""
    head = b""
    for opening in _OPENINGS:
        head = opening + _varint(len(head) + size) + head
    return head


def _varint(number: int) -> bytes:
    """A length as protocol buffers write it: seven bits a byte, lowest first; the top bit says that more follow."""
    if number < 1 << 7:
        return bytes([number])
    return bytes([number & 0x7F | 0x80]) + _varint(number >> 7)


def _block(example: bytes) -> memoryview:
    """The block in an Example: what follows the head that a block of its size has."""
    for size in range(max(len(example) - LONGEST_HEAD, 0), len(example)):
        head = _head(size)
        if len(head) + size == len(example) and example.startswith(head):
            return memoryview(example)[len(head) :]
    raise _UnreadableError("not a record of a dataset")
