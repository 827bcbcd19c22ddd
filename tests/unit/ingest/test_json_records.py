"""Messages from JSON lines and lists: fields by their paths, and every way in which a record can be broken."""

import json
from typing import Any

import pytest

from components.artifacts.errors import SourceError
from components.ingest.json_records import is_json, records
from tests.unit.ingest.chats import read

CHAT = [{"message": {"text": "one"}, "from.id": 7}, {"message": {"text": "two\r\nlines"}, "from.id": "bob"}]
FIELDS = {"text_column": "message.text", "user_column": "from.id"}


def as_lines(values: list[Any]) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


@pytest.mark.parametrize("text", [as_lines(CHAT), json.dumps(CHAT), json.dumps(CHAT, indent=2), f"\n {as_lines(CHAT)}"])
def test_fields_are_read_by_their_paths_from_lines_and_from_a_list(text: str) -> None:
    assert read(records, text, **FIELDS) == [["one", "7"], ["two\nlines", "bob"]]
    assert read(records, text, text_column="message.text") == [["one"], ["two\nlines"]]


def test_a_record_may_be_a_text_itself() -> None:
    assert read(records, '["one", "two"]') == read(records, '"one"\n"two"\n') == [["one"], ["two"]]


def test_a_field_that_is_missing_or_null_in_some_records_is_empty_there() -> None:
    text = as_lines([{"text": "one", "user": "amy"}, {"text": None, "user": "bob"}, {"deleted": True}])
    assert read(records, text, user_column="user") == [["one", "amy"], ["", "bob"], ["", ""]]


@pytest.mark.parametrize("text", ["", "[]", " \n", "[ ]\n"])
def test_no_records_are_no_messages(text: str) -> None:
    assert read(records, text) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"text": "one"}\n{"text": "two"\n{"text": "three"}\n', "malformed JSON at line 3: Expecting ',' delimiter"),
        (
            '{"text": "one"}\n{"text": "two',
            "malformed JSON at line 2: Unterminated string starting at; is the file comp",
        ),
        (
            '[{"text": "one"},\n{"text": "two"}\n',
            "malformed JSON at line 3: , or ] is expected, but the file ends; is it",
        ),
        ('[{"text": "one"}\n{"text": "two"}]', "malformed JSON at line 2: , or ] is expected, not '{'"),
        ('["one"]\n["two"]\n', "malformed JSON at line 2: text follows the end of the list"),
        ("Once upon a time", "malformed JSON at line 1: Expecting value"),
        ("[" * 100_000, "malformed JSON at line 1: lists and objects are nested too deeply"),
        (f'{{"text": {"9" * 5000}}}\n', "malformed JSON at line 1: a number has too many digits"),
        ('{"text": "one"}\n{"text": 7}\n', "at line 2: in record 2 the field text is a number, not a text"),
        ('{"text": ["one"]}\n', "at line 1: in record 1 the field text is a list, not a text"),
        ('[{"text": "one"},\n\n7]', "at line 3: record 2 is a number; it must be an object with fields, or a text"),
        (
            '{"body": "one", "user": {"name": "amy"}}',
            "no record has the field 'text'; known are body, user.name, or set",
        ),
        (
            '{"txt": "one"}',
            r"no record has the field 'text'; did you mean txt\?, or set ingest\.format=text to read it",
        ),
        (
            '{"text": "caf\\ud83d"}',
            r"half a surrogate pair, \\ud83d at line 1, which is no text; set ingest\.undecodable",
        ),
        ('{"text": "\\u0000"}', r"a NUL at line 1, which is no text; set ingest\.undecodable"),
    ],
)
def test_malformed_records_are_refused_with_their_line(text: str, message: str) -> None:
    with pytest.raises(SourceError, match=rf"^chat: .*{message}"):
        read(records, text)


def test_a_users_field_is_a_text_or_a_whole_number() -> None:
    with pytest.raises(
        SourceError, match=r"in record 1 the field user is true or false, not a text or a whole number$"
    ):
        read(records, '{"text": "one", "user": true}', user_column="user")


def test_escapes_that_are_no_text_are_replaced_if_asked() -> None:
    assert read(records, '{"text": "a\\u0000\\ud83d \\ud83d\\ude00"}', undecodable="replace") == [["a\ufffd\ufffd 😀"]]


def test_names_of_json() -> None:
    assert [is_json(name, "") for name in ("a.json", "a.jsonl", "a.ndjson", "a.txt")] == [True, True, True, False]
