"""Ingest called on a source, and what it wrote."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.errors import SourceError, UsageError
from components.ingest.config import IngestConfig
from components.ingest.ingesting import ingest

CHAT = "user,text\namy,Grüße an alle\nbob,two\namy,three\n"


def run(source: Path | str, corpus: Path, **values: Any) -> Mapping[str, Any]:
    return ingest(IngestConfig(**values), source=str(source), corpus=str(corpus))


def text_of(corpus: Path) -> str:
    return (corpus / "text.txt").read_bytes().decode()


def report_of(corpus: Path) -> str:
    return (corpus / "report.html").read_text(encoding="utf-8")


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def assert_refused(tmp_path: Path, source: Path | str, message: str, **values: Any) -> None:
    """Ingest fails as said and leaves everything as it was."""
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises((SourceError, UsageError), match=message):
        run(source, tmp_path / "corpus", **values)
    assert sorted(tmp_path.rglob("*")) == before
