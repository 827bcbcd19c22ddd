"""Text files that people write, and what is said of those that are no such text."""

import pytest

from components.artifacts.errors import SourceError
from components.artifacts.plaintext import decoded, wide_encoding

TEXTS = {
    "English": "Once upon a time,\nthere was a mill.\n" * 9,
    "Russian": "\u0416\u0438\u043b\u0438 \u0431\u044b\u043b\u0438 \u0434\u0435\u0434\n" * 9,
    "Chinese": "\u5929\u5730\u7384\u9ec4\n\u5b87\u5b99\u6d2a\u8352\n" * 9,
    "Hebrew": "\u05d1\u05e8\u05d0\u05e9\u05d9\u05ea \u05d1\u05e8\u05d0\n" * 9,
}
WIDE = ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]


@pytest.mark.parametrize("encoding", WIDE)
@pytest.mark.parametrize("language", TEXTS)
def test_a_text_of_wide_characters_without_a_mark_is_named(language: str, encoding: str) -> None:
    data = TEXTS[language].encode(encoding)
    assert wide_encoding(data) == encoding
    with pytest.raises(SourceError, match=rf"a\.txt: .* it looks like {encoding}: save it as UTF-8$"):
        decoded(data, "a.txt")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_so_is_one_with_a_mark(encoding: str) -> None:
    assert wide_encoding(TEXTS["English"].encode(encoding)) == encoding
    with pytest.raises(SourceError, match=f"not UTF-8 at byte 0; it looks like {encoding}: save"):
        decoded(TEXTS["English"].encode(encoding), "a.txt")


@pytest.mark.parametrize(
    "data",
    [
        *(text.encode() for text in TEXTS.values()),
        "caf\xe9 \xe0 la cr\xe8me ".encode("latin-1") * 9,
        b"",
        b"\0",
        b"\0" * 64,
        b"a: \0",
        bytes(range(256)),
        b"a text with one \0 in it, as a program may leave",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0",
    ],
)
def test_nothing_else_is_taken_for_one(data: bytes) -> None:
    assert wide_encoding(data) == ""


def test_a_mark_goes_and_line_ends_are_newlines() -> None:
    assert decoded(b"\xef\xbb\xbfa\r\nb\rc\n\xe2\x80\xa8d", "a.txt") == "a\nb\nc\n\u2028d"


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"ab\xff", "a.txt: not UTF-8 at byte 2"), (b"ab\0", "a.txt: a NUL at byte 2, so this is not plain text")],
)
def test_what_is_no_text_is_refused_by_its_first_byte_that_is_none(data: bytes, said: str) -> None:
    with pytest.raises(SourceError) as refused:
        decoded(data, "a.txt")
    assert str(refused.value) == said
