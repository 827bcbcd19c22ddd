"""Bytes as characters: any text and back, what is no UTF-8, and each character at the byte that completes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.artifacts import utf8

TEXTS = st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"]))
ANY = st.lists(st.sampled_from(utf8.BYTES)).map("".join)
GRINNING = "\N{GRINNING FACE}"


@given(text=TEXTS)
def test_a_text_is_bytes_that_a_corpus_can_have_and_back(text: str) -> None:
    of_bytes = utf8.as_bytes(text)
    assert of_bytes.encode("latin-1") == text.encode()
    assert set(of_bytes) <= set(utf8.BYTES)
    assert utf8.as_text(of_bytes) == text


@given(of_bytes=ANY)
def test_any_bytes_have_as_many_characters_as_begin_there(of_bytes: str) -> None:
    assert len(utf8.as_text(of_bytes)) == sum(map(utf8.begins_character, of_bytes))


@pytest.mark.parametrize(
    ("of_bytes", "text"),
    [("\xe2\x82A", "\N{REPLACEMENT CHARACTER}A"), ("\x82\xacA", "A"), ("A\xc3", "A\N{REPLACEMENT CHARACTER}")],
    ids=["no end", "no beginning", "no end at the end"],
)
def test_what_is_no_utf_8_is_left_out_or_replaced(of_bytes: str, text: str) -> None:
    assert utf8.as_text(of_bytes) == text


def test_a_character_is_where_its_last_byte_is() -> None:
    assert utf8.completed("", utf8.as_bytes(f"a\xe9{GRINNING}")) == ["a", "", "\xe9", "", "", "", GRINNING]


@given(text=TEXTS, data=st.data())
def test_what_is_completed_does_not_depend_on_where_it_is_cut(text: str, data: st.DataObject) -> None:
    of_bytes = utf8.as_bytes(text)
    place = data.draw(st.integers(0, len(of_bytes)))
    first, more = of_bytes[:place], of_bytes[place:]
    assert utf8.completed("", first) + utf8.completed(first[-3:], more) == utf8.completed("", of_bytes)
    assert "".join(utf8.completed("", of_bytes)) == text
