"""Rows as JSON lines: one object a line, as samples and a training's history are kept."""

import json
from collections.abc import Iterator
from typing import Any


def rows_of(text: str) -> Iterator[Any]:
    """The rows of JSON lines, of whatever type they are known to be (components.artifacts.typed).

    Only newlines end a row: a text in it may hold U+2028, U+2029 and U+0085, at which str.splitlines would cut.
    """
    return (json.loads(line) for line in text.split("\n") if line)
