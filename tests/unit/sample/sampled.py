"""The rows of samples, and what writes them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from components.sample.config import SampleConfig
from components.sample.sampling import sample

Write = Callable[..., list[dict[str, Any]]]


def bytes_of(model: Path, samples: Path, **settings: Any) -> bytes:
    """Write samples, in place of those there; their files' bytes."""
    sample(SampleConfig(**settings), model=str(model), samples=str(samples))
    return b"".join(path.read_bytes() for path in sorted(samples.glob("*.jsonl")))


def rows_of(directory: Path) -> list[dict[str, Any]]:
    """All rows of a samples artifact, its files in order."""
    lines = [line for path in sorted(directory.glob("*.jsonl")) for line in path.read_bytes().splitlines()]
    return [json.loads(line) for line in lines]
