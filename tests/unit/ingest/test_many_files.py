import gzip
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.errors import SourceError, UsageError
from components.artifacts.manifest import read_manifest
from components.ingest.config import IngestConfig
from components.ingest.ingesting import ingest


def corpus_of(source: str | Path, tmp_path: Path, **values: Any) -> str:
    ingest(IngestConfig(**values), source=str(source), corpus=str(tmp_path / "corpus"))
    return (tmp_path / "corpus" / "text.txt").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Texts in a folder, one packed and one further down, and what systems leave there."""
    folder = tmp_path / "texts"
    (folder / "more").mkdir(parents=True)
    (folder / "b.txt").write_bytes("\ufeffzwei".encode())
    (folder / "a.txt").write_bytes(gzip.compress(b"eins"))
    (folder / "more" / "c.txt").write_text("drei")
    (folder / ".DS_Store").write_bytes(b"\0\0\0")
    return folder


def test_a_directory_is_read_in_the_order_of_names_with_a_newline_between(folder: Path, tmp_path: Path) -> None:
    assert corpus_of(folder, tmp_path) == "eins\nzwei\ndrei"
    manifest = read_manifest(tmp_path / "corpus")
    assert manifest.config["source"] == str(folder)
    (folder / "b.txt").write_text("zwo")
    assert corpus_of(f"{folder}/", tmp_path) == "eins\nzwo\ndrei"
    assert read_manifest(tmp_path / "corpus").made_from != manifest.made_from


@pytest.mark.parametrize(
    ("pattern", "text"), [("*.txt", "eins\nzwei"), ("[b-z].*", "zwei"), ("**/c*", "drei"), ("m*", "drei")]
)
def test_a_glob_is_read_in_the_order_of_names(folder: Path, tmp_path: Path, pattern: str, text: str) -> None:
    assert corpus_of(folder / pattern, tmp_path) == text


def test_a_file_whose_name_looks_like_a_glob_is_that_file(folder: Path, tmp_path: Path) -> None:
    (folder / "[ab].txt").write_text("self")
    assert corpus_of(folder / "[ab].txt", tmp_path) == "self"


def test_several_places_are_read_in_the_order_of_names(folder: Path, tmp_path: Path) -> None:
    assert corpus_of(f"{folder}/more\n{folder}/b.txt\n{folder}/a.txt", tmp_path) == "eins\nzwei\ndrei"


@pytest.mark.parametrize("place", ["*.md", "empty"])
def test_a_place_without_files_is_refused(folder: Path, tmp_path: Path, place: str) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(SourceError, match=r": no files there$"):
        corpus_of(folder / place, tmp_path)


def test_a_file_named_twice_and_a_linked_directory_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^--source: .*/b\.txt is named twice$"):
        corpus_of(f"{folder}\n{folder}/b.txt", tmp_path)
    (folder / "link").symlink_to(tmp_path)
    with pytest.raises(SourceError, match=r"/link: is a link to a directory; name the directory itself$"):
        corpus_of(folder, tmp_path)


def test_tables_are_joined_and_their_users_held_against_all_of_them(tmp_path: Path) -> None:
    chats = tmp_path / "chats"
    chats.mkdir()
    (chats / "1.csv").write_text("user,text\namy,one\nbob,two\n")
    (chats / "2.tsv").write_text("text\tuser\nthree\tcy\nfour\tamy\n")
    keep: dict[str, Any] = {"user_column": "user", "keep_users": ["amy", "cy"]}
    assert corpus_of(chats, tmp_path, **keep) == "one three four"
    assert corpus_of(chats, tmp_path, **keep, first_fraction=0.7) == "one three"
    with pytest.raises(SourceError, match="no message is by 'dan'"):
        corpus_of(chats, tmp_path, user_column="user", keep_users=["amy", "dan"])
    (chats / "3.txt").write_text("five")
    with pytest.raises(UsageError, match=r"1\.csv and .*3\.txt: one is CSV and one plain text; set ingest\.format"):
        corpus_of(chats, tmp_path)


def test_the_limit_is_of_all_files(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"more/c\.txt: with the files before more than ingest\.maximum_bytes \(12\)"):
        corpus_of(folder, tmp_path, maximum_bytes=12)


@pytest.mark.parametrize("source", ["-", "/dev/stdin"])
def test_standard_input_is_read(tmp_path: Path, source: str) -> None:
    command = [sys.executable, "-m", "components.ingest", "--source", source, "--corpus", str(tmp_path / "corpus")]
    subprocess.run(command, input=b"eins\n", check=True)
    assert (tmp_path / "corpus" / "text.txt").read_text() == "eins\n"


def test_a_pipe_with_a_name_is_read(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.write(write, b"eins")
    os.close(write)
    assert corpus_of(f"/dev/fd/{read}", tmp_path) == "eins"
    os.close(read)


def test_several_flags_and_values_name_several_files(folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "components.ingest", "--corpus", str(tmp_path / "corpus")]
    sources = ["--source", str(folder / "b.txt"), str(folder / "a.txt"), "--source", str(folder / "more")]
    subprocess.run([*command, *sources], check=True)
    assert (tmp_path / "corpus" / "text.txt").read_text() == "eins\nzwei\ndrei"
