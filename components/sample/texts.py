"""The samples' files: one JSON object per text."""

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TypeVar

from components.artifacts.as_json import as_json
from components.artifacts.typed import WrittenText

TEXTS_A_FILE = 10_000
TEXTS_SHOWN = 200
TOKENS_SHOWN = 100_000
"""The most tokens that the report's texts have together, so that a browser opens it quickly."""

Written = TypeVar("Written")


def write_texts(
    directory: Path, rows: Iterator[tuple[WrittenText, Written]], total: int, shown: int
) -> list[tuple[WrittenText, Written]]:
    """Write all rows as samples-*.jsonl; return the first `shown` with their tokens, for the report."""
    first: list[tuple[WrittenText, Written]] = []
    files = max(-(-total // TEXTS_A_FILE), 1)
    for number in range(files):
        path = directory / f"samples-{number:05d}-of-{files:05d}.jsonl"
        with path.open("w", encoding="utf-8", newline="\n") as file:
            for row, beside in islice(rows, TEXTS_A_FILE):
                file.write(as_json(row, ensure_ascii=False) + "\n")
                if len(first) < shown:
                    first.append((row, beside))
    return first


def read_texts(directory: Path) -> Iterator[WrittenText]:
    """The rows of an artifact's samples-*.jsonl, in order."""
    for path in sorted(directory.glob("samples-*.jsonl")):
        with path.open(encoding="utf-8", newline="\n") as file:
            yield from map(json.loads, file)


def texts_shown(length: int, temperatures: int) -> int:
    """How many texts of this length the report shows: at least one per temperature."""
    return max(min(TEXTS_SHOWN, TOKENS_SHOWN // length), temperatures)


def how_ended(counts: Mapping[str, int]) -> str:
    """How many texts ended before their full length, to add to a line; empty if none could."""
    if "ended" not in counts:
        return ""
    return f"; {counts['ended']:,} of {counts['texts']:,} texts ended before their full length"


class Totals:
    """Counts texts and their mean nats per token by (temperature, strategy)."""

    def __init__(self) -> None:
        self.means: dict[tuple[float, str], tuple[int, float]] = {}

    def counting(self, rows: Iterator[tuple[WrittenText, Written]]) -> Iterator[tuple[WrittenText, Written]]:
        """Pass the rows on, counting them."""
        for row, beside in rows:
            key = row["temperature"], row["strategy"]
            count, mean = self.means.get(key, (0, 0.0))
            self.means[key] = count + 1, mean + (row["nats_per_token"] - mean) / (count + 1)
            yield row, beside

    def by_temperature(self) -> dict[str, float]:
        """The mean nats per token by temperature as text."""
        return {f"{temperature:g}": mean for (temperature, _), (_, mean) in self.means.items()}
