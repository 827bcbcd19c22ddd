"""Each kind of source knows where it is, how it is named by what it holds, and how it is seen from anywhere."""

import hashlib
import os
from pathlib import Path

import pytest

from components.artifacts import storage
from components.artifacts.builtin import python_docs
from components.artifacts.errors import UsageError


@pytest.mark.parametrize(
    ("uri", "kind", "is_here"),
    [
        ("builtin:python-docs", "BuiltIn", False),
        ("-", "StandardInput", True),
        ("tale.txt", "OnDisk", True),
        ("file:///tale.txt", "OnDisk", True),
        ("HTTPS://example.org/tale.txt", "OnWeb", False),
        ("s3://bucket/tale.txt", "InBucket", False),
    ],
)
def test_a_source_is_of_one_kind(uri: str, kind: str, is_here: bool) -> None:
    source = storage.source_at(uri)
    assert (type(source).__name__, source.is_here, source.is_pipe) == (kind, is_here, uri == "-")
    assert (source.path is not None) == (kind == "OnDisk")


def test_an_unknown_scheme_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown scheme ftp://"):
        storage.source_at("ftp://example.org/tale.txt")


def test_a_path_is_seen_from_anywhere_and_what_has_one_place_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "a [b]"
    home.mkdir()
    monkeypatch.chdir(home)
    assert storage.source_at("tale.txt").absolute() == f"{home}/tale.txt"
    assert storage.source_at("*.txt").absolute() == f"{tmp_path}/a [[]b]/*.txt"
    for uri in ("builtin:python-docs", "-", "https://example.org/a", "gs://bucket/a", "file:///a"):
        assert storage.source_at(uri).absolute() == uri


def test_what_it_holds_names_it(tmp_path: Path) -> None:
    (tmp_path / "tale.txt").write_text("once")
    digest = hashlib.sha256(b"once").hexdigest()
    assert storage.source_digest(str(tmp_path / "tale.txt")) == digest
    assert storage.source_digest(str(tmp_path / "none.txt")) == ""
    assert storage.source_digest("builtin:python-docs") == hashlib.sha256(python_docs().encode()).hexdigest()


def test_a_built_in_text_is_opened_as_a_file(tmp_path: Path) -> None:
    with storage.source_file("builtin:python-docs", tmp_path, maximum_bytes=1 << 30) as path:
        assert path.read_text(encoding="utf-8") == python_docs()


def test_a_named_pipe_is_read_but_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert storage.source_at(str(tmp_path / "pipe")).is_pipe
