"""Chats as messengers export them, and the messages read from them."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from components.ingest.config import IngestConfig
from components.ingest.text import Decoder

Records = Callable[[Decoder, str], Iterator[Sequence[str]]]


def read(records: Records, text: str, size: int = 1 << 20, **values: Any) -> list[list[str]]:
    """The records of a text that is read in chunks of `size` bytes."""
    data = text.encode("utf-8", "surrogatepass")
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    return [list(one) for one in records(Decoder(chunks, "chat", IngestConfig(**values)), "chat")]


def telegram(messages: Iterable[dict[str, Any]], **chat: Any) -> dict[str, Any]:
    """A chat of Telegram's result.json."""
    listed = [{"id": number, "type": "message", **message} for number, message in enumerate(messages, start=1)]
    return {"name": "Ada", "type": "personal_chat", "id": 4242, "messages": listed, **chat}


def as_telegram(*chats: dict[str, Any]) -> str:
    """One chat as its export has it, or several as the export of an account has them."""
    whole: Any = chats[0]
    if len(chats) > 1:
        whole = {
            "about": "Here is the data you requested. Remember: Telegram is ad free.",
            "contacts": {"list": [{"user_id": 1, "first_name": "Ada"}]},
            "chats": {"about": "This page lists all chats.", "list": list(chats)},
        }
    return json.dumps(whole, indent=1, ensure_ascii=False)
