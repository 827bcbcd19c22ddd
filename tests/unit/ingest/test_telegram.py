"""Telegram's JSON: one chat or all of an account, texts in pieces, and messages that are not a user's."""

from typing import Any

import pytest

from components.artifacts.errors import SourceError
from components.ingest.telegram import is_telegram, records
from tests.unit.ingest.chats import as_telegram, read, telegram

LINK = {"type": "link", "text": "https://example.org"}


@pytest.mark.parametrize(
    ("message", "record"),
    [
        ({"from": "Ada", "text": "one"}, ["one", "Ada"]),
        ({"from": "Ada", "text": ["see ", LINK, "\r\nthere"]}, ["see https://example.org\nthere", "Ada"]),
        ({"from": "Ada", "text": [LINK]}, ["https://example.org", "Ada"]),
        ({"from": "Ada", "text": "", "photo": "photos/1.jpg"}, ["", "Ada"]),
        ({"from": None, "from_id": "user42", "text": "one"}, ["one", "user42"]),
        ({"from": None, "from_id": 42, "text": "one"}, ["one", "42"]),
        ({"text": "one"}, ["one", "Deleted Account"]),
        ({"from": "Ada", "forwarded_from": "Bob", "text": "one"}, ["one", "Bob"]),
        ({"from": "Ada", "forwarded_from": None, "text": "one"}, ["one", "Deleted Account"]),
    ],
)
def test_a_message_has_a_text_and_a_user(message: dict[str, Any], record: list[str]) -> None:
    assert read(records, as_telegram(telegram([message]))) == [record]


def test_service_messages_are_left_out() -> None:
    service = {"type": "service", "actor": "Ada", "action": "create_group", "text": ""}
    assert read(records, as_telegram(telegram([service, {"from": "Ada", "text": "one"}]))) == [["one", "Ada"]]


@pytest.mark.parametrize("size", [7, 1 << 20])
def test_all_chats_of_an_account_are_read_in_order(size: int) -> None:
    chats = [telegram([{"from": name, "text": f"{name} says"}]) for name in ("Ada", "Bob")]
    assert read(records, as_telegram(*chats), size) == [["Ada says", "Ada"], ["Bob says", "Bob"]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", r"has no list of messages, as Telegram's result\.json has; for other JSON set ingest\.format=json$"),
        ('{"messages": [\n7]}', "malformed JSON at line 2: message 1 is a number, not an object$"),
        ('{"messages": [{"text": 7}]}', "in message 1 a part of the text is a number, not a text$"),
        ('{"messages": [{"text": [{"type": "link"}]}]}', "in message 1 a part of the text is null, not a text$"),
        ('{"messages": [{"text": "one"}', "is it complete"),
    ],
)
def test_what_is_not_telegrams_is_refused(text: str, message: str) -> None:
    with pytest.raises(SourceError, match=rf"^chat: .*{message}"):
        read(records, text)


def test_an_export_is_known_by_its_name_and_how_it_begins() -> None:
    one, several = as_telegram(telegram([])), as_telegram(telegram([]), telegram([]))
    saved = '{\n "type": "saved_messages",\n "id": 42,\n "messages": ['
    assert [is_telegram("result.json", head) for head in (one, several, saved)] == [True] * 3
    assert not is_telegram("notes.txt", one)
    assert not is_telegram("a.json", '{"name": "Ada", "text": "one"}')
