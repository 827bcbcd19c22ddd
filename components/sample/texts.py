"""The samples' files: one JSON object a text."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

TEXTS_A_FILE = 10_000
TEXTS_SHOWN = 200


def write_texts(directory: Path, rows: Iterator[dict[str, Any]], total: int) -> list[dict[str, Any]]:
    """Write all rows as samples-*.jsonl; the first ones, which the report shows, are returned."""
    shown: list[dict[str, Any]] = []
    files = max(-(-total // TEXTS_A_FILE), 1)
    for number in range(files):
        path = directory / f"samples-{number:05d}-of-{files:05d}.jsonl"
        with path.open("w", encoding="utf-8", newline="\n") as file:
            for row in islice(rows, TEXTS_A_FILE):
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                if len(shown) < TEXTS_SHOWN:
                    shown.append(row)
    return shown


def read_texts(directory: Path) -> Iterator[dict[str, Any]]:
    """The rows of an artifact's samples-*.jsonl, in order."""
    for path in sorted(directory.glob("samples-*.jsonl")):
        with path.open(encoding="utf-8", newline="\n") as file:
            yield from map(json.loads, file)
