"""A source is a file, a URI or the embedded corpus."""

import unicodedata
from pathlib import Path
from pydoc_data.topics import topics

from components.artifacts.manifest import read_manifest
from components.ingest.config import IngestConfig
from components.ingest.ingesting import ingest
from tests.unit.ingest.ingested import assert_refused, run, text_of, write


def test_the_embedded_corpus_is_pythons_reference_topics(tmp_path: Path) -> None:
    counts = run("builtin:python-docs", tmp_path / "corpus")["counts"]
    text = text_of(tmp_path / "corpus")
    assert text == unicodedata.normalize("NFC", "\n".join(topics[name] for name in sorted(topics)))
    assert counts["characters"] == len(text) > 400_000
    assert counts["distinct_characters"] == len(set(text))
    assert read_manifest(tmp_path / "corpus").config["source"] == "builtin:python-docs"


def test_the_embedded_corpus_has_an_encoding_of_its_own(tmp_path: Path) -> None:
    message = r"^ingest\.encoding=latin-1 has no effect on builtin:python-docs; leave it at utf-8$"
    assert_refused(tmp_path, "builtin:python-docs", message, encoding="latin-1")


def test_a_file_uri_names_a_source_and_a_corpus(tmp_path: Path) -> None:
    source = write(tmp_path / "my notes.txt", "one")
    uri = (tmp_path / "the corpus").as_uri()
    assert ingest(IngestConfig(), source=source.as_uri(), corpus=uri)["corpus"] == uri
    assert text_of(tmp_path / "the corpus") == "one"


def test_an_unknown_builtin_is_refused_with_the_one_there_is(tmp_path: Path) -> None:
    assert_refused(
        tmp_path, "builtin:novels", r"^builtin:novels: no such built-in corpus; there is builtin:python-docs$"
    )


def test_a_missing_source_is_refused(tmp_path: Path) -> None:
    assert_refused(tmp_path, tmp_path / "missing.txt", r"/missing\.txt: no such file$")
