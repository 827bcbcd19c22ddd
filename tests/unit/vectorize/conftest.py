"""Corpora of any text, and what the stage logs."""

import io
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path

import pytest

from components.artifacts.manifest import write_manifest
from components.command import log


@pytest.fixture
def corpus(tmp_path: Path) -> Callable[..., Path]:
    """Makes a corpus artifact, as ingest would, from a text."""

    def make(text: str, *, lowercase: bool = False) -> Path:
        directory = tmp_path / "corpus"
        directory.mkdir()
        (directory / "text.txt").write_text(text, encoding="utf-8", newline="")
        write_manifest(
            directory,
            kind="corpus",
            stage="ingest",
            config={"lowercase": lowercase},
            counts={"characters": len(text)},
            made_from={"source": "0" * 64},
        )
        return directory

    return make


@pytest.fixture
def logged() -> io.StringIO:
    """What the stage logs."""
    stream = io.StringIO()
    with redirect_stderr(stream):
        log.set_up("vectorize")
    return stream
