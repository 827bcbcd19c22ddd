"""Text files that people write: UTF-8 with any line ends; errors name what else a file looks like."""

import codecs

from components.artifacts.errors import SourceError

_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
_LOOKED_AT = 4096
_SPACES = " \n\r\t"
_FEWEST_SPACES = 3
"""At a text's beginning; read in the wrong byte order or encoding, it has hardly any."""


def decoded(data: bytes, name: str) -> str:
    """The text of UTF-8 bytes, without a mark at its start, all line ends as newlines.

    Raises:
        SourceError: they are not UTF-8; names the file (`name`), the byte, and what they look like.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(f"{name}: not UTF-8 at byte {error.start:,}{_advice(data)}") from None
    if "\0" in text:
        raise SourceError(f"{name}: a NUL at byte {data.index(0):,}, so this is not plain text{_advice(data)}")
    return with_newlines(text)


def with_newlines(text: str) -> str:
    """The text with all line ends as newlines, as a corpus has them."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def wide_encoding(data: bytes) -> str:
    """The encoding of two or four bytes per character that data look like, with or without a mark; empty for none."""
    marked = next((encoding for mark, encoding in _MARKS.items() if data.startswith(mark)), "")
    if marked or b"\0" not in data[:_LOOKED_AT]:
        return marked
    found = max(_WIDE, key=lambda encoding: _spaces(data[:_LOOKED_AT], encoding))
    return found if _spaces(data[:_LOOKED_AT], found) >= _FEWEST_SPACES else ""


def _spaces(data: bytes, encoding: str) -> int:
    """How many spaces and line ends data have, read in an encoding; 0 if they are not text in it."""
    width = int(encoding[4:6]) // 8
    try:
        text = data[: len(data) // width * width].decode(encoding)
    except UnicodeDecodeError:
        return 0
    is_text = all(character.isprintable() or character in _SPACES for character in text)
    return sum(map(text.count, _SPACES)) if is_text else 0


def _advice(data: bytes) -> str:
    encoding = wide_encoding(data)
    return f"; it looks like {encoding}: save it as UTF-8" if encoding else ""
