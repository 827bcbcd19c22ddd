"""Tables as CSV, and the messages read from them."""

import csv
import io
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from components.ingest.config import IngestConfig
from components.ingest.ingesting import ingest
from components.ingest.messages import messages
from components.ingest.rows import rows

CHAT = "user,text\namy,one\nbob,two\namy,three\ncy,four\n"


def read(*pieces: str, users: Counter[str] | None = None, **values: Any) -> list[str]:
    config = IngestConfig(**values)
    return list(messages(rows(pieces, "chat.csv", config, config.columns), config, users))


def as_csv(rows: Iterable[Iterable[str]], delimiter: str = ",") -> str:
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return file.getvalue()


def corpus_of(source: Path, **values: Any) -> str:
    ingest(IngestConfig(**values), source=str(source), corpus=str(source.with_suffix(".corpus")))
    return (source.with_suffix(".corpus") / "text.txt").read_text(encoding="utf-8")
