"""Messages from Telegram Desktop's export in JSON: one chat, or all of them."""

import re
from collections.abc import Iterator
from typing import Any

from components.artifacts.errors import SourceError
from components.ingest.json_reader import JsonReader, kind_of
from components.ingest.text import Decoder

EXPORTED = re.compile(r"(^|/)result\.json$", re.IGNORECASE)
"""The name of an export in an archive with photos."""
_BEGINS = re.compile(
    r'\s*\{\s*("about":\s*"Here is the data you requested|("name":\s*("[^"\n]*"|null),\s*)?"type":\s*"\w+",\s*'
    r'"id":\s*-?\d+,\s*"messages":\s*\[)'
)
_NOBODY = "Deleted Account"


def is_telegram(name: str, head: str) -> bool:
    """Whether a file is Telegram's export, by its name and how it begins."""
    return name.endswith(".json") and looks_like_telegram(head)


def looks_like_telegram(head: str) -> bool:
    """Whether a text begins like Telegram's export."""
    return bool(_BEGINS.match(head))


def records(text: Decoder, _name: str) -> Iterator[list[str]]:
    """The text and user of each message; service messages are left out, and texts of photos alone are empty.

    A forwarded message is by the user who wrote it. Without a name a user is shown by id.

    Raises:
        SourceError: it is not Telegram's JSON.
    """
    json, number = JsonReader(text), 0
    has_list = False
    for _ in json.lists("messages"):
        has_list = True
        for _ in json.items():
            number += 1
            message = json.value()
            if not isinstance(message, dict):
                json.refuse(f"message {number:,} is {kind_of(message)}, not an object")
            if message.get("type", "message") == "message":
                yield [json.text(_text(message, number, json)), json.text(_user(message))]
    if not has_list:
        raise SourceError(
            f"{text.name}: has no list of messages, as Telegram's result.json has; for other JSON set "
            "ingest.format=json"
        )


def _text(message: dict[str, Any], number: int, json: JsonReader) -> str:
    """A message's text: a text, or a list of texts and of objects such as links, each with a text."""
    text = message.get("text", "")
    pieces = [piece.get("text") if isinstance(piece, dict) else piece for piece in _as_list(text)]
    for piece in pieces:
        if not isinstance(piece, str):
            json.refuse(f"in message {number:,} a part of the text is {kind_of(piece)}, not a text")
    return "".join(map(str, pieces))


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _user(message: dict[str, Any]) -> str:
    if "forwarded_from" in message:
        return str(message["forwarded_from"] or _NOBODY)
    return str(message.get("from") or message.get("from_id") or _NOBODY)
