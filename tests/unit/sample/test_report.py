"""The samples' page shows texts of each temperature, escaped, and no more than a browser opens."""

from pathlib import Path
from typing import Any

import pytest

from components.sample import texts
from tests.unit.sample.sampled import Write


def test_the_report_escapes_texts_and_marks_prompt_and_continuation(
    given: tuple[Path, dict[str, Any]],
) -> None:
    page = (given[0] / "report.html").read_text(encoding="utf-8")
    assert page.count('<span class="prompt">&lt;b&gt;</span>') == 9
    assert page.count('<span class="prompt">fed &amp; </span>') == 9
    assert page.count('<span class="continuation">') == 18
    assert "<b>" not in page.partition("</style>")[2]
    assert all(f"<h2>{title}" in page for title in ("Greedy", "Temperature 0.5", "Temperature 1"))
    assert "top_k=9, top_p=0.95" in page
    assert "18 of 18 texts" in page


def test_the_report_shows_the_first_texts_of_many(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "TEXTS_SHOWN", 3)
    write(prompts=("a",), count=5, temperatures=(1,))
    page = (tmp_path / "samples" / "report.html").read_text(encoding="utf-8")
    assert "3 of 5 texts" in page
    assert page.count('<span class="continuation">') == 3


def test_the_report_has_no_more_tokens_than_a_browser_opens_at_once(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "TOKENS_SHOWN", 30)
    write(prompts=("a",), count=5, temperatures=(0.5, 1), length=12)
    assert "2 of 10 texts" in (tmp_path / "samples" / "report.html").read_text(encoding="utf-8")
    write(prompts=("a",), count=5, temperatures=(0.5, 1), length=40)
    assert "2 of 10 texts" in (tmp_path / "samples" / "report.html").read_text(encoding="utf-8")
