"""A source of many files is read in the order of names, each file once."""

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
    with pytest.raises(UsageError, match=r"^--source: .*/b\.txt is named twice; its text would be read"):
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
    assert corpus_of(chats, tmp_path, **keep) == "one\nthree\nfour\n"
    assert corpus_of(chats, tmp_path, **keep, first_fraction=0.7) == "one\nthree\n"
    with pytest.raises(SourceError, match="no message is by 'dan'"):
        corpus_of(chats, tmp_path, user_column="user", keep_users=["amy", "dan"])
    (chats / "3.txt").write_text("five")
    with pytest.raises(UsageError, match=r"1\.csv and .*3\.txt: one is CSV and one plain text; set ingest\.format"):
        corpus_of(chats, tmp_path)


def test_the_limit_is_of_all_files(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(
        SourceError, match=r"more/c\.txt: with the previous files more than ingest\.maximum_bytes \(12\)"
    ):
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


@pytest.mark.parametrize("source", [".", "*"])
def test_names_that_mean_something_elsewhere_are_files_in_a_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    odd = tmp_path / "odd"
    odd.mkdir()
    names = ["-", "~nobody", "builtin:python-docs", "a b\t.txt", "*.txt", "[x]", "#1 50%.txt", "ünï.txt"]
    for name in names:
        (odd / name).write_text(name)
    monkeypatch.chdir(odd)
    assert corpus_of(source, tmp_path).split("\n") == sorted(names)
    manifest = read_manifest(tmp_path / "corpus")
    assert manifest.config["source"] == source


def test_a_name_with_a_newline_is_a_file_of_its_directory(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a\nb.txt").write_text("eins")
    (tmp_path / "texts" / "c.txt").write_text("zwei")
    assert corpus_of(tmp_path / "texts", tmp_path) == "eins\nzwei"


def test_empty_files_and_directories_leave_no_trace(folder: Path, tmp_path: Path) -> None:
    (folder / "empty").mkdir()
    for name in ("0.txt", "a2.txt", "z.txt"):
        (folder / name).write_text("")
    assert corpus_of(folder, tmp_path) == "eins\nzwei\ndrei"
    (folder / "only").mkdir()
    (folder / "only" / "empty.txt").write_text("")
    with pytest.raises(SourceError, match=r"only: contains no text$"):
        corpus_of(folder / "only", tmp_path)


def test_what_is_hidden_is_left_out_unless_it_is_named(folder: Path, tmp_path: Path) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("not this")
    (folder / ".diary.txt").write_text("nor this")
    assert corpus_of(folder, tmp_path) == "eins\nzwei\ndrei"
    assert corpus_of(folder / "*", tmp_path) == "eins\nzwei\ndrei"
    assert corpus_of(folder / "**", tmp_path) == "eins\nzwei\ndrei"
    assert corpus_of(folder / ".diary.txt", tmp_path) == "nor this"


def test_a_file_that_a_link_leads_to_as_well_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "latest.txt").symlink_to("b.txt")
    with pytest.raises(UsageError, match=r"latest\.txt is named twice, as .*/b\.txt too; its text would be"):
        corpus_of(folder, tmp_path)
    with pytest.raises(UsageError, match=r"is named twice"):
        corpus_of(f"{folder}/a.txt\n{folder}/more/../a.txt", tmp_path)
    (folder / "b.txt").unlink()
    with pytest.raises(SourceError, match=r"latest\.txt: no such file$"):
        corpus_of(folder, tmp_path)


def test_a_pipe_in_a_directory_is_refused_and_not_waited_for(folder: Path, tmp_path: Path) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(SourceError, match=r"/pipe: is not a file but a pipe, socket or device; move it elsewhere$"):
        corpus_of(folder, tmp_path)


def test_a_directory_that_may_not_be_read_is_not_left_out_in_silence(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scandir = os.scandir

    def refusing(path: Any) -> Any:
        if str(path).endswith("more"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(SourceError, match=r"/more: Permission denied, so its files would be left out$"):
        corpus_of(folder, tmp_path)


def test_an_error_about_several_places_is_one_line(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("")
    with pytest.raises(SourceError, match=rf"^{tmp_path}/a\.txt, {tmp_path}/b\.txt: contains no text$"):
        corpus_of(f"{tmp_path}/a.txt\n{tmp_path}/b.txt", tmp_path)


def test_each_file_is_in_an_encoding_and_a_packing_of_its_own(folder: Path, tmp_path: Path) -> None:
    (folder / "c.txt").write_bytes("vier".encode("utf-16"))
    assert corpus_of(folder, tmp_path) == "eins\nzwei\nvier\ndrei"
    (folder / "d.pdf").write_bytes(b"%PDF-1.7\n\0")
    with pytest.raises(SourceError, match=r"d\.pdf: "):
        corpus_of(folder, tmp_path)
