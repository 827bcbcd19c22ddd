"""A corpus's documents: documents.txt and text.txt confirm each other, and ends are found however the text is read."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from components.artifacts.documents import END, document_lengths, with_ends
from components.artifacts.errors import ArtifactError

DOCUMENTS = ["one", "two\nlines", "\n", "é"]


def corpus_of(place: Path, documents: Sequence[str] = DOCUMENTS, lengths: str | None = None) -> Path:
    (place / "text.txt").write_text("".join(f"{document}\n" for document in documents), encoding="utf-8")
    written = "".join(f"{len(document)}\n" for document in documents) if lengths is None else lengths
    (place / "documents.txt").write_text(written)
    return place


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 100])
def test_ends_are_found_wherever_the_text_is_cut(tmp_path: Path, size: int) -> None:
    corpus = corpus_of(tmp_path)
    text = (corpus / "text.txt").read_text(encoding="utf-8")
    chunks = [text[begin : begin + size] for begin in range(0, len(text), size)]
    assert "".join(with_ends(chunks, corpus)) == "".join(f"{document}{END}" for document in DOCUMENTS)
    assert list(document_lengths(corpus)) == [3, 9, 1, 1]


@pytest.mark.parametrize("lengths", ["3\n8\n1\n1\n", "3\n9\n1\n", "3\n9\n1\n1\n1\n", "3\n9\n1\n2\n", ""])
def test_files_that_do_not_match_are_refused(tmp_path: Path, lengths: str) -> None:
    corpus = corpus_of(tmp_path, lengths=lengths)
    with pytest.raises(ArtifactError, match=r"documents\.txt does not match text\.txt; ingest the text again$"):
        list(with_ends([(corpus / "text.txt").read_text(encoding="utf-8")], corpus))


@pytest.mark.parametrize("line", ["0", "-3", "three", "", "1" * 19, "3 "])
def test_a_line_that_is_no_length_is_refused_by_its_number(tmp_path: Path, line: str) -> None:
    corpus = corpus_of(tmp_path, lengths=f"3\n{line}\n1\n1\n")
    with pytest.raises(
        ArtifactError, match=r"documents\.txt: line 2 is not a document's length; ingest the text again$"
    ):
        list(document_lengths(corpus))
