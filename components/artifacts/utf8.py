"""Bytes as tokens: a text's UTF-8, a byte of which is the character with its number, from U+0000 to U+00FF.

A model may write bytes that are not UTF-8. A byte that continues no character is left out, and a character without its
end is U+FFFD. So a text has as many characters as it has bytes that begin one, however it is cut.
"""

import codecs
from collections.abc import Iterable

BYTES = tuple(chr(byte) for byte in range(256) if byte not in {0x0D, 0xC0, 0xC1, *range(0xF5, 0x100)})
"""The bytes that a corpus in UTF-8 can have; there is no carriage return in one."""
_CONTINUATION = range(0x80, 0xC0)
_ERRORS = "quillflow"


def _handled(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "" if error.object[error.start] in _CONTINUATION else "\N{REPLACEMENT CHARACTER}", error.end


codecs.register_error(_ERRORS, _handled)


def as_bytes(text: str) -> str:
    """The bytes of a text's UTF-8, each as a character."""
    return text.encode().decode("latin-1")


def as_text(of_bytes: str) -> str:
    """The text of bytes as characters."""
    return of_bytes.encode("latin-1").decode("utf-8", _ERRORS)


def begins_character(byte: str) -> bool:
    """Whether a byte, as a character, is the first of a character's."""
    return ord(byte) not in _CONTINUATION


def completed(before: Iterable[str], new: Iterable[str]) -> list[str]:
    """What each of the `new` bytes completes, as characters: the text's next character, or nothing yet.

    `before` are the text's last bytes so far, of which three are enough.
    """
    decoder = codecs.getincrementaldecoder("utf-8")(_ERRORS)
    decoder.decode("".join(before).encode("latin-1"))
    return [decoder.decode(byte.encode("latin-1")) for byte in new]
