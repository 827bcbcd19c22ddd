"""A corpus of documents becomes a dataset: an end is a token of its own, and whole documents are held out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.documents import END
from components.artifacts.errors import ArtifactError
from components.artifacts.manifest import Manifest, digest, verify, write_manifest
from components.artifacts.records import read_split
from components.artifacts.vocabulary import UNKNOWN, TokenKind, Vocabulary
from components.vectorize import pieces
from components.vectorize.config import VectorizeConfig
from components.vectorize.inspect import first_windows
from components.vectorize.vectorizing import vectorize

DOCUMENTS = ["The mill ground on.", "And on\nand on;", "the end,", "no: more.", "Dusk"]


def made(place: Path, documents: Sequence[str] = DOCUMENTS, **config: Any) -> tuple[Path, Manifest, Vocabulary]:
    """The dataset's place, manifest and vocabulary."""
    corpus, dataset = place / "corpus", place / "dataset"
    corpus.mkdir(exist_ok=True)
    (corpus / "text.txt").write_text("".join(f"{document}\n" for document in documents), encoding="utf-8")
    (corpus / "documents.txt").write_text("".join(f"{len(document)}\n" for document in documents))
    write_manifest(corpus, kind="corpus", stage="ingest", config={"lowercase": False}, counts={}, made_from={})
    vectorize(VectorizeConfig(**{"length": 4, **config}), corpus=str(corpus), dataset=str(dataset))
    return dataset, verify(dataset, "dataset"), Vocabulary.read(dataset)


def documents_in(dataset: Path, manifest: Manifest, vocabulary: Vocabulary, split: str) -> list[str]:
    """A split's documents; each must have its end."""
    ids = read_split(dataset, split, manifest, vocabulary)
    *documents, rest = vocabulary.decode(ids, END).split(END)
    assert rest == ""
    return documents


@pytest.mark.parametrize("kind", ["characters", "words", "bpe", "bytes"])
@pytest.mark.parametrize(("held_out", "train"), [(0, 5), (0.1, 4), (0.25, 3), (0.6, 1), (0.9, 1), (0.01, 4)])
def test_whole_documents_are_held_out(tmp_path: Path, kind: TokenKind, held_out: float, train: int) -> None:
    dataset, manifest, vocabulary = made(tmp_path, tokens=kind, held_out=held_out)
    found = {split: documents_in(dataset, manifest, vocabulary, split) for split in ("train", "validation")}
    assert found == {"train": DOCUMENTS[:train], "validation": DOCUMENTS[train:]}
    for split, documents in found.items():
        counts = {name.removeprefix(f"{split}_"): count for name, count in manifest.counts.items() if split in name}
        assert counts["documents"] == len(documents)
        assert counts["characters"] == sum(len(document) + 1 for document in documents)
        assert counts["tokens"] == len(vocabulary.encode("".join(f"{document}{END}" for document in documents)))


@pytest.mark.parametrize("kind", ["characters", "words", "bpe"])
def test_the_end_is_the_empty_token_and_none_of_the_texts_characters(tmp_path: Path, kind: TokenKind) -> None:
    _, manifest, vocabulary = made(tmp_path, DOCUMENTS[2:], tokens=kind)
    assert (vocabulary.tokens[0], vocabulary.end_id, vocabulary.has_end) == ("", 0, True)
    assert "\n" not in vocabulary.tokens
    assert manifest.counts["vocabulary"] == len(vocabulary)


@pytest.mark.parametrize("kind", ["characters", "words", "bpe", "bytes"])
@pytest.mark.parametrize("size", [1, 7])
def test_the_dataset_does_not_depend_on_how_the_text_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: TokenKind, size: int
) -> None:
    dataset, *_ = made(tmp_path, tokens=kind)
    whole = digest(dataset)
    monkeypatch.setattr(pieces, "CHUNK_CHARACTERS", size)
    made(tmp_path, tokens=kind)
    assert digest(dataset) == whole


def test_the_end_is_kept_among_few_words(tmp_path: Path) -> None:
    documents = ["a a a", "a b b"]
    dataset, manifest, vocabulary = made(tmp_path, documents, tokens="words", vocabulary_size=3, length=2)
    assert vocabulary.tokens == ("", " a", UNKNOWN)
    assert documents_in(dataset, manifest, vocabulary, "train") == [f"{UNKNOWN} a a"]


def test_a_single_document_can_not_be_divided(tmp_path: Path) -> None:
    message = (
        r"it is a single document, so none can be held out; set vectorize\.held_out=0, or ingest\.documents to what"
    )
    with pytest.raises(ArtifactError, match=message):
        made(tmp_path, DOCUMENTS[:1])
    _, manifest, _ = made(tmp_path, DOCUMENTS[:1], held_out=0)
    assert manifest.counts["train_documents"] == 1


def test_inspect_shows_an_end_as_the_newline_that_the_text_has_there(tmp_path: Path) -> None:
    dataset, *_ = made(tmp_path, ["abcd", "efg"])
    found = first_windows(str(dataset), split="train", count=1)
    assert found["windows"] == [{"window": "abcd", "target": "\n"}]


@pytest.mark.parametrize("kind", ["characters", "words", "bpe", "bytes"])
def test_what_would_be_taken_for_an_end_is_refused(tmp_path: Path, kind: TokenKind) -> None:
    with pytest.raises(ArtifactError, match=r"text\.txt: has a carriage return, which ingest never writes; ingest"):
        made(tmp_path, [*DOCUMENTS, "Dawn\rbreaks."], tokens=kind)
    assert not (tmp_path / "dataset").exists()
