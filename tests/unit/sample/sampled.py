"""The rows of samples, and what writes them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Write = Callable[..., list[dict[str, Any]]]


def rows_of(directory: Path) -> list[dict[str, Any]]:
    """All rows of a samples artifact, its files in order."""
    lines = [line for path in sorted(directory.glob("*.jsonl")) for line in path.read_bytes().splitlines()]
    return [json.loads(line) for line in lines]
