"""Texts go to files of limited size."""

from pathlib import Path

import pytest

from components.sample import texts
from tests.unit.sample.sampled import Write


def test_texts_go_to_files_of_limited_size(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "TEXTS_A_FILE", 3)
    rows = write(prompts=("a", "b"), count=2, temperatures=(0, 1), batch=2)
    files = sorted((tmp_path / "samples").glob("*.jsonl"))
    assert [path.name for path in files] == [f"samples-0000{n}-of-00003.jsonl" for n in range(3)]
    assert [len(path.read_bytes().splitlines()) for path in files] == [3, 3, 2]
    assert [row["id"] for row in rows] == list(range(8))
