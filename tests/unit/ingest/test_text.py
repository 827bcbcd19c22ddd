"""Text is decoded and cleaned to the same characters wherever its bytes are cut."""

import itertools
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from components.artifacts.errors import SourceError, UsageError
from components.ingest import text as text_module
from components.ingest.config import IngestConfig
from components.ingest.text import REPLACEMENT, Decoder, clean, cleaned
from tests.shorter import mostly_slow

BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
# Letters that compose with what follows, what they compose with, and what the case of a sigma depends on.
TRICKY = (
    "ae1 \n\u0301\u0323\u0345\u0344\u1100\u1161\u11a8\uac00ΛΣ\u03c3ς.'\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}\u2000中"
)
PLACES = st.lists(st.integers(0, 1000), max_size=8)

undisturbed = settings(deadline=None, max_examples=60)  # the machine may be busy


def cut(whole: Any, places: Iterable[int]) -> list[Any]:
    edges = [0, *sorted({place % (len(whole) + 1) for place in places}), len(whole)]
    return [whole[start:end] for start, end in itertools.pairwise(edges) if start < end]


def decode(chunks: Iterable[bytes], **values: Any) -> tuple[str, int]:
    decoder = Decoder(chunks, "notes.txt", IngestConfig(**values))
    return "".join(decoder), decoder.replaced


def joined(pieces: Iterable[str], *, lowercase: bool) -> str:
    return "".join(cleaned(pieces, lowercase=lowercase))


def with_newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_bom_is_taken_off_also_when_it_comes_byte_by_byte(encoding: str) -> None:
    writes_its_own = bool("".encode(encoding))
    data = ("Grüße" if writes_its_own else BOM + "Grüße").encode(encoding)
    assert decode([data], encoding=encoding) == ("Grüße", 0)
    assert decode([bytes([byte]) for byte in data], encoding=encoding) == ("Grüße", 0)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_a_byte_order_mark_says_the_encoding_where_none_was_set(encoding: str) -> None:
    data = f"{BOM}Grüße, \u4e2d\n".encode(encoding)
    for chunks in ([data], [bytes([byte]) for byte in data]):
        assert decode(chunks) == ("Grüße, \u4e2d\n", 0)
    with pytest.raises(
        SourceError, match=r"^notes\.txt: begins with the byte order mark of utf-.*, but ingest\.encoding is"
    ):
        decode([data], encoding="cp1252")


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("“Well,” she said: café.".encode("cp1252"), "cp1252"),
        (b"Stra\xdfe", "cp1252"),
        ("a text in no hurry".encode("utf-16-le"), "utf-16-le"),
        ("a text in no hurry".encode("utf-16-be"), "utf-16-be"),
    ],
)
def test_the_encoding_that_bytes_are_probably_in_is_named(data: bytes, encoding: str) -> None:
    with pytest.raises(SourceError, match=rf", probably {encoding}; set ingest\.encoding={encoding}$"):
        decode([data])
    assert decode([data], encoding=encoding) == (data.decode(encoding), 0)


@pytest.mark.parametrize(
    "data", ["Война и мир".encode("cp1251"), "吾輩は猫である".encode("shift_jis"), b"\x01\x02\xff\xfe", b"a\x81b"]
)
def test_no_encoding_is_named_where_nothing_speaks_for_one(data: bytes) -> None:
    with pytest.raises(SourceError, match=r"\); set ingest\.encoding, or ingest\.undecodable to replace up to 1 %$"):
        decode([data])


@pytest.mark.parametrize(("text", "reported"), [("Grüße", True), ("plain", False)])
def test_what_is_utf_8_as_well_is_reported(text: str, reported: bool) -> None:
    for chunks in ([text.encode()], [bytes([byte]) for byte in text.encode()]):
        decoder = Decoder(chunks, "notes.txt", IngestConfig(encoding="cp1252"))
        assert "".join(decoder)
        assert decoder.is_utf_8_too == reported
    latin = Decoder([text.encode("latin-1")], "notes.txt", IngestConfig(encoding="latin-1"))
    assert list(latin) == [text]
    assert not latin.is_utf_8_too


def test_only_the_first_character_is_taken_for_a_bom() -> None:
    assert decode([f"a{BOM}b".encode()]) == (f"a{BOM}b", 0)
    assert decode([b"a", BOM.encode()]) == (f"a{BOM}", 0)


def test_a_file_of_nothing_but_a_bom_is_empty() -> None:
    assert list(Decoder([BOM.encode()], "notes.txt", IngestConfig())) == []


def _alphabet(encoding: str) -> st.SearchStrategy[str]:
    """All that the encoding has, but for NUL and the byte order mark."""
    excluded = f"\0{BOM}"
    if encoding.startswith("utf-"):
        return st.characters(exclude_characters=excluded, exclude_categories=["Cs"])
    if encoding == "gb18030":
        return st.characters(codec=encoding, exclude_characters=excluded)
    decoded = bytes(range(256)).decode(encoding, "ignore")
    return st.sampled_from(sorted(set(decoded) - set(excluded)))


@pytest.mark.parametrize(
    "encoding", mostly_slow(["utf-8", "cp1252", "utf-16", "utf-16-be", "utf-32", "latin-1", "gb18030"], quick=2)
)
@given(data=st.data(), places=PLACES)
@undisturbed
def test_text_comes_back_from_any_encoding_however_it_is_cut(
    encoding: str, data: st.DataObject, places: list[int]
) -> None:
    written = data.draw(st.text(_alphabet(encoding))).encode(encoding)
    text, replaced = decode(cut(written, places), encoding=encoding)
    assert text == with_newlines(written.decode(encoding))
    assert replaced == 0


@given(text=st.text("a\r\n"), places=PLACES)
@example(text="a\r\nb", places=[2])
@example(text="a\r", places=[1])
@undisturbed
def test_every_line_end_becomes_one_newline_however_it_is_cut(text: str, places: list[int]) -> None:
    assert decode(cut(text.encode(), places)) == (with_newlines(text), 0)


def test_undecodable_bytes_are_named_with_file_offset_and_the_way_out() -> None:
    with pytest.raises(SourceError) as raised:
        decode([b"a" * 1500, b"bc\xff\x81 and more"])
    assert str(raised.value) == (
        "notes.txt: not utf-8 at byte 1,502 (invalid start byte); set ingest.encoding, or ingest.undecodable to "
        "replace up to 1 %"
    )


@given(
    before=st.text(),
    wrong=st.sampled_from([b"\xff", b"\xc3(", b"\xe2\x82(", b"\xf0\x9f\x98(", b"\xed\xa0\x80", b"\x80"]),
    after=st.text(),
    places=PLACES,
)
@example(before="é", wrong=b"\xe2\x82(", after="", places=[1, 3, 4])
@example(before=BOM, wrong=b"\xff", after="", places=[2])
@undisturbed
def test_the_offset_of_undecodable_bytes_is_exact_however_they_are_cut(
    before: str, wrong: bytes, after: str, places: list[int]
) -> None:
    before = before.replace("\0", "")
    data = before.encode() + wrong + after.encode()
    with pytest.raises(SourceError, match=rf"^notes\.txt: .* at byte {len(before.encode()):,} "):
        decode(cut(data, places))


@pytest.mark.parametrize(
    ("encoding", "data", "offset"),
    [
        ("utf-8", b"ab\xe2\x82", 2),
        ("utf-16", "abc".encode("utf-16")[:-1], 6),
        ("utf-16-le", "ab".encode("utf-16-le") + b"\x3d\xd8", 4),
        ("shift_jis", "日本".encode("shift_jis") + b"\x83", 4),
        ("ascii", b"abc\x80", 3),
    ],
)
def test_a_character_broken_off_at_the_end_is_an_error_there(encoding: str, data: bytes, offset: int) -> None:
    for chunks in ([data], [bytes([byte]) for byte in data]):
        with pytest.raises(SourceError, match=f"not {encoding} at byte {offset} "):
            decode(chunks, encoding=encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "latin-1", "shift_jis"])
@given(data=st.data(), places=PLACES)
@undisturbed
def test_a_nul_is_an_error_at_its_exact_offset_however_it_is_cut(
    encoding: str, data: st.DataObject, places: list[int]
) -> None:
    plain = st.text("aé\r\n" if encoding == "latin-1" else "a\r\n日本")
    before, after = data.draw(plain), data.draw(plain)
    written = f"{before}\0{after}\0".encode(encoding)
    with pytest.raises(SourceError, match=rf"^notes\.txt: a NUL at byte {len(before.encode(encoding)):,}, "):
        decode(cut(written, places), encoding=encoding)


def test_replacing_counts_every_undecodable_place_and_every_nul() -> None:
    text, replaced = decode([b"a\xffb\0\0", b"c\xe2\x82"], undecodable="replace")
    assert text == "a\ufffdb\ufffd\ufffdc\ufffd"
    assert replaced == 4


@given(data=st.binary() | st.text().map(lambda text: text.encode("utf-16-le")), places=PLACES)
@undisturbed
def test_replacing_gives_the_same_however_the_bytes_are_cut(data: bytes, places: list[int]) -> None:
    whole = data.decode("utf-8", "replace").replace("\0", REPLACEMENT).removeprefix(BOM)
    text, replaced = decode(cut(data, places), undecodable="replace")
    assert text == with_newlines(whole)
    assert replaced == whole.count(REPLACEMENT) - data.count(REPLACEMENT.encode())


def test_two_decoders_at_work_at_once_count_apart() -> None:
    config = IngestConfig(undecodable="replace")
    one, other = Decoder([b"abc\xff", b"\xff"], "one", config), Decoder([b"abcd", b"\xff"], "other", config)
    assert list(zip(one, other, strict=True)) == [(f"abc{REPLACEMENT}", "abcd"), (REPLACEMENT, REPLACEMENT)]
    assert (one.replaced, other.replaced) == (2, 1)


@pytest.mark.parametrize("encoding", ["nonsense", "base64", ""])
def test_an_unknown_encoding_is_refused_before_anything_is_read(encoding: str) -> None:
    with pytest.raises(UsageError, match=r"^ingest\.encoding: must be a character encoding that Python knows, not "):
        IngestConfig.parse({"encoding": encoding}, "ingest")


def test_text_is_composed_and_lowercased_only_when_asked() -> None:
    assert clean("E\u0301 \u1100\u1161\u11a8 ΟΔΟΣ", lowercase=False) == "É 각 ΟΔΟΣ"
    assert clean("E\u0301 \u1100\u1161\u11a8 ΟΔΟΣ", lowercase=True) == "é 각 οδος"


@pytest.mark.parametrize(
    ("pieces", "whole"),
    [
        (["caf", "e", "\u0301 au lait"], "café au lait"),
        (["\u1100", "\u1161", "\u11a8"], "각"),
        (["ΟΔΟΣ", "ΟΔΟΣ"], "οδοσοδος"),
        (["ΟΔΟΣ", ".", "ΟΔΟΣ"], "οδοσ.οδος"),
        (["ΟΔΟΣ", " ", "ΟΔΟΣ"], "οδος οδος"),
        (["Λ", "Σ"], "λς"),
    ],
)
def test_a_cut_hides_no_character_from_its_neighbour(pieces: list[str], whole: str) -> None:
    assert joined(pieces, lowercase=True) == whole


@given(text=st.text(TRICKY), places=PLACES, lowercase=st.booleans())
@undisturbed
def test_cleaning_in_pieces_is_cleaning_the_whole(text: str, places: list[int], lowercase: bool) -> None:
    in_pieces = joined(cut(text, places), lowercase=lowercase)
    assert in_pieces == clean(text, lowercase=lowercase)
    assert unicodedata.is_normalized("NFC", in_pieces)


@given(
    words=st.lists(
        st.sampled_from(["Λ", "ΛΣ", "ΛΣ\u0301.", "e\u0301\u0323", "\u1100\u1161\u11a8", "\uac00\u11a8", "1"]),
        min_size=50,
        max_size=150,
    ),
    places=PLACES,
    lowercase=st.booleans(),
)
@example(words=["ΛΣ"] * 100, places=[130, 131, 180], lowercase=True)
@example(words=["e\u0301\u0323"] * 100, places=[130, 131, 132], lowercase=False)
@undisturbed
def test_a_long_text_without_white_space_is_cut_where_it_does_not_show(
    words: Sequence[str], places: list[int], lowercase: bool
) -> None:
    text = "".join(words)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_module, "_LONGEST_TAIL", 64)
        assert joined(cut(text, places), lowercase=lowercase) == clean(text, lowercase=lowercase)


@pytest.mark.parametrize("unit", ["x", "Σ", "\u0301", "e\u0301", "."])
def test_text_without_white_space_is_handed_on_while_it_comes(unit: str) -> None:
    given_characters = 0

    def pieces() -> Iterator[str]:
        nonlocal given_characters
        for _ in range(5):
            given_characters += 50_000 * len(unit)
            yield unit * 50_000

    taken = 0
    for piece in cleaned(pieces(), lowercase=False):
        taken += len(unicodedata.normalize("NFD", piece))
        assert given_characters - taken <= 1 << 16
    assert given_characters == taken == 250_000 * len(unit)
