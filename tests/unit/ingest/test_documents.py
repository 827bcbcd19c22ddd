"""Documents: what each source consists of, where each ends, and what has none."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.artifacts.errors import UsageError
from components.artifacts.manifest import verify
from components.ingest import documents
from components.ingest.config import IngestConfig
from components.ingest.documents import DocumentWriter, ended_by_blank_lines
from components.ingest.statistics import CorpusStatistics
from tests.unit.ingest.ingested import CHAT, assert_refused, report_of, run, text_of, write

POEM = "\n\n  The mill\n    ground on.\n\nAnd on.  \n\n"


def documents_of(corpus: Path) -> list[str]:
    """The documents, by documents.txt; text.txt has a newline after each and nothing else."""
    text, found = text_of(corpus), []
    for line in (corpus / "documents.txt").read_text().split():
        found.append(text[: int(line)])
        assert text[int(line)] == "\n"
        text = text[int(line) + 1 :]
    assert text == ""
    return found


def ingested(tmp_path: Path, files: Mapping[str, str], **values: Any) -> list[str]:
    folder = tmp_path / "source"
    folder.mkdir()
    for name, content in files.items():
        write(folder / name, content)
    result = run(folder, tmp_path / "corpus", **values)
    found = documents_of(tmp_path / "corpus")
    assert result["counts"]["documents"] == len(found)
    assert result["counts"]["characters"] == len(text_of(tmp_path / "corpus"))
    verify(tmp_path / "corpus", "corpus")
    return found


def test_the_rows_of_csv_are_documents_by_default(tmp_path: Path) -> None:
    files = {"a.csv": CHAT, "b.csv": 'user,text\namy,"two\nlines "\nbob,"  "\n'}
    assert ingested(tmp_path, files) == ["Grüße an alle", "two", "three", "two\nlines"]


def test_files_are_documents_if_asked_without_the_white_space_around_them(tmp_path: Path) -> None:
    files = {"1.txt": POEM, "2.txt": "", "3.txt": " \n\n", "4.txt": "Short."}
    assert ingested(tmp_path, files, documents="files") == ["  The mill\n    ground on.\n\nAnd on.", "Short."]


def test_blank_lines_and_files_end_documents_if_asked(tmp_path: Path) -> None:
    files = {"1.txt": POEM + "\t\n \n\nSee", "2.txt": "new"}
    expected = ["  The mill\n    ground on.", "And on.", "See", "new"]
    assert ingested(tmp_path, files, documents="blank_lines") == expected


def test_files_of_csv_are_documents_if_asked(tmp_path: Path) -> None:
    assert ingested(tmp_path, {"a.csv": CHAT, "b.csv": CHAT}, documents="files") == ["Grüße an alle two three"] * 2


def test_without_documents_a_corpus_is_as_ever(tmp_path: Path) -> None:
    run(write(tmp_path / "chat.csv", CHAT), tmp_path / "corpus", documents="none")
    assert text_of(tmp_path / "corpus") == "Grüße an alle two three"
    counts = run(write(tmp_path / "poem.txt", POEM), tmp_path / "poem")["counts"]
    assert text_of(tmp_path / "poem") == POEM
    for corpus in ("corpus", "poem"):
        assert not (tmp_path / corpus / "documents.txt").exists()
    assert "documents" not in counts


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        (
            "a.txt",
            "rows",
            r"documents=rows is for messages, and this is plain text; set documents=files, blank_lines",
        ),
        (
            "a.csv",
            "blank_lines",
            r"documents=blank_lines is for plain text, and these are messages; set documents=rows, files",
        ),
    ],
)
def test_documents_that_a_format_does_not_have_are_refused(tmp_path: Path, name: str, kind: str, message: str) -> None:
    assert_refused(tmp_path, write(tmp_path / name, CHAT), rf"^ingest: {message}", documents=kind)
    given = {"format": "csv" if name == "a.csv" else "text", "documents": kind}
    with pytest.raises(UsageError, match=rf"^ingest: {message}"):
        IngestConfig.parse(given, "ingest")


@pytest.mark.usefixtures("page")
def test_the_report_and_the_gate_count_documents(tmp_path: Path) -> None:
    source = write(tmp_path / "poems.txt", "One\nline\n\nOther\n\nOne\nline\n")
    run(source, tmp_path / "corpus", documents="blank_lines")
    page = report_of(tmp_path / "corpus")
    assert "<b>3</b>documents" in page
    assert "Length of documents" in page
    message = "33.3% of 3 documents repeat an earlier one"
    assert_refused(tmp_path, source, message, documents="blank_lines", repeats_at_most=0.1)


@settings(deadline=None)
@given(text=st.text("ab \n\t\u2028", max_size=40), size=st.integers(1, 9), blank=st.booleans())
def test_documents_do_not_depend_on_how_the_text_is_cut(text: str, size: int, blank: bool) -> None:
    def cut(size: int) -> tuple[str, str, list[str]]:
        pieces = (text[begin : begin + size] for begin in range(0, len(text), size))
        file, statistics = io.StringIO(), CorpusStatistics(unit="documents")
        writer = DocumentWriter(file, statistics)
        written = "".join(writer.pieces(ended_by_blank_lines(pieces) if blank else pieces))
        assert writer.count == statistics.messages
        return written, file.getvalue(), statistics.first

    assert cut(size) == cut(100)


def test_memory_does_not_grow_with_white_space(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "_MOST_HELD", 8)
    file = io.StringIO()
    writer = DocumentWriter(file, CorpusStatistics())
    written = "".join(writer.pieces(ended_by_blank_lines(["a\n", *["    "] * 9, "b", *["    "] * 9, "c"])))
    assert written.split() == ["a", "b", "c"]
    assert file.getvalue().split() == [str(len(document)) for document in written.split("\n")[:-1]]
    assert len(writer._held) <= 8
