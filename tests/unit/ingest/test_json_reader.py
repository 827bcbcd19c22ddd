"""JSON is read value by value, the same wherever its text is cut, and never more of it than one value at a time."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.artifacts.errors import SourceError
from components.ingest import json_reader
from components.ingest.config import IngestConfig
from components.ingest.json_reader import JsonReader
from components.ingest.text import Decoder

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(TEXTS, inside, max_size=3),
    max_leaves=8,
)


def reader(text: str, size: int = 1 << 20) -> JsonReader:
    data = text.encode()
    return JsonReader(Decoder([data[at : at + size] for at in range(0, len(data), size)], "a.json", IngestConfig()))


def walked(source: JsonReader) -> Any:
    """A value that is entered as deep as it goes."""
    first = source.peek()
    if first == "{":
        return {name: walked(source) for name in source.members()}
    return [walked(source) for _ in source.items()] if first == "[" else source.value()


@settings(deadline=None, max_examples=60)
@given(VALUES, st.integers(1, 40), st.sampled_from([None, 1]), st.booleans())
def test_a_value_is_what_was_written_wherever_it_is_cut(
    value: Any, size: int, indent: int | None, ascii_: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_)
    assert reader(text, size).value() == value
    assert walked(reader(text, size)) == value


@settings(deadline=None, max_examples=60)
@given(st.lists(VALUES, max_size=4), st.integers(1, 40))
def test_lines_are_what_was_written(values: list[Any], size: int) -> None:
    source = reader("".join(json.dumps(value) + "\n" for value in values), size)
    assert [source.value() for _ in source.values()] == values


@settings(deadline=None, max_examples=60)
@given(st.lists(VALUES, min_size=1, max_size=3), st.integers(1, 40), st.data())
def test_a_list_that_ends_too_early_is_refused(values: list[Any], size: int, data: st.DataObject) -> None:
    text = json.dumps(values)
    cut = data.draw(st.integers(1, len(text) - 1))
    with pytest.raises(SourceError, match=r"is the file complete\?|is it complete\?"):
        walked(reader(text[:cut], size))


def test_lists_of_a_name_are_found_at_any_depth() -> None:
    source = reader('{"a": [{"b": [1], "c": {"b": [2, 3]}}], "b": "none", "d": [[[{"b": []}]]]}', 3)
    assert [[source.value() for _ in source.items()] for _ in source.lists("b")] == [[1], [2, 3], []]


def test_a_value_that_is_too_long_is_refused_without_reading_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_reader, "LONGEST_VALUE", 1000)
    read = 0

    def chunks() -> Iterator[bytes]:
        nonlocal read
        yield b'["'
        for _ in range(1_000_000):
            read += 1
            yield b"abcdefgh\\n"

    source = JsonReader(Decoder(chunks(), "a.json", IngestConfig()))
    with pytest.raises(
        SourceError, match=r"^a\.json: malformed JSON at line 1: a value of more than 1,000 characters$"
    ):
        [source.value() for _ in source.items()]
    assert read < 1000


@pytest.mark.parametrize("text", ['{"a" 1}', "{1: 2}", '{"a": 1 "b": 2}', "[1 2]", '{"a": 1,}'])
def test_what_is_between_values_is_checked(text: str) -> None:
    with pytest.raises(SourceError, match=r"^a\.json: malformed JSON at line 1: "):
        walked(reader(text))
