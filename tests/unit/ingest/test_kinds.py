"""Files that are no text are recognized by their first bytes, and packed text is read."""

import bz2
import gzip
import io
import lzma
import os
import sqlite3
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from components.artifacts.errors import SourceError
from components.command import log
from components.ingest.config import IngestConfig
from components.ingest.ingesting import ingest
from components.ingest.kinds import markup_of

TEXT = "Grüße an alle\n"
RIFF = b"RIFF\x24\x10\0\0"


def corpus_of(source: Path, **values: object) -> str:
    corpus = source.parent / "corpus"
    ingest(IngestConfig.model_validate(values), source=str(source), corpus=str(corpus))
    return (corpus / "text.txt").read_text(encoding="utf-8")


def refused(source: Path, **values: object) -> str:
    with pytest.raises(SourceError) as raised:
        corpus_of(source, **values)
    assert not (source.parent / "corpus").exists()
    return str(raised.value).removeprefix(f"{source}: ")


def zipped(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, "" if name.endswith("/") else TEXT)
    return file.getvalue()


def tarred() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("notes.txt"))
    return file.getvalue()


def database() -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.execute("create table chat (text)")
    return connection.serialize()


@pytest.mark.parametrize(
    ("data", "reported"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "is a PDF document, not plain text; convert it to text first"),
        (
            zipped("word/document.xml", "[Content_Types].xml"),
            "is a Word document (.docx), not plain text; save it as",
        ),
        (zipped("xl/workbook.xml"), "is an Excel workbook (.xlsx)"),
        (zipped("mimetype", "META-INF/container.xml"), "is an EPUB book"),
        (zipped("mimetype", "META-INF/manifest.xml"), "is an OpenDocument file"),
        (zipped("one.txt", "two.txt"), "is a zip archive of 2 files; unpack it and name the directory"),
        (zipped("empty/"), "is a zip archive of 0 files; unpack it"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "is a Microsoft Office document"),
        (b"{\\rtf1\\ansi Hello}", "is a rich text document (RTF)"),
        (tarred(), "is a tar archive, not plain text; unpack it and name the directory"),
        (gzip.compress(tarred()), "is a tar archive"),
        (gzip.compress(gzip.compress(b"one")), "is compressed with gzip twice"),
        (b"\x28\xb5\x2f\xfd\x04\x00", "is compressed with zstd, not plain text; unpack it first: zstd -d FILE"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "is a 7-Zip archive"),
        (database(), "is an SQLite database, not plain text; export a table as CSV first: sqlite3 "),
        (b"\x89PNG\r\n\x1a\n\0\0", "is a PNG image, not plain text; it contains no text"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "is a JPEG image"),
        (b"GIF89a\1\0", "is a GIF image"),
        (RIFF + b"WEBPVP8 ", "is a WebP image"),
        (RIFF + b"WAVEfmt ", "is a WAV recording"),
        (b"\0\0\0\x20ftypisom", "is a film or image"),
        (b"ID3\x04\0", "is an MP3 recording"),
        (b"PAR1\x15\4", "is a Parquet file"),
        (b"\x7fELF\2\1", "is a program"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "is a Git LFS pointer, not the file"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # zip and gzip hold the time: no name for a test
)
@pytest.mark.parametrize("values", [{}, {"undecodable": "replace"}, {"encoding": "latin-1"}, {"format": "csv"}])
def test_what_is_no_text_is_named_with_what_to_do(
    tmp_path: Path, data: bytes, reported: str, values: dict[str, object]
) -> None:
    source = tmp_path / "notes.txt"
    source.write_bytes(data)
    assert refused(source, **values).startswith(reported)


@pytest.mark.parametrize("text", ["%PD is a unit", "BM", "RIFF raff WEBP", "MZ", "PAR1 and 2", "it is ftyped", "ORC"])
def test_text_that_begins_nearly_so_is_text(tmp_path: Path, text: str) -> None:
    source = tmp_path / "notes.txt"
    source.write_text(text)
    assert corpus_of(source) == text


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_packed_text_is_read_whatever_its_name_in_several_streams_too(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    source = tmp_path / "notes.txt"
    more = os.urandom(1_200_000).hex()
    source.write_bytes(pack(TEXT.encode()) + pack(more.encode()))
    assert corpus_of(source) == TEXT + more


def test_a_zip_with_one_file_in_it_is_read_as_that_file(tmp_path: Path) -> None:
    source = tmp_path / "chat.zip"
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr("folder/", "")
        archive.writestr("folder/chat.tsv", "user\ttext\namy\tone, two\n")
        archive.writestr("__MACOSX/folder/._chat.tsv", "\0")
        archive.writestr("folder/.DS_Store", "\0")
    assert corpus_of(source, user_column="user", keep_users=["amy"]) == "one, two\n"


@pytest.mark.parametrize("name", ["chat.csv.bz2", "chat.csv.xz", "chat.tab.zip"])
def test_a_packed_csv_is_known_by_its_name(tmp_path: Path, name: str) -> None:
    source, rows = tmp_path / name, b"user,text\namy,one\n"
    if name.endswith("zip"):
        with zipfile.ZipFile(source, "w") as archive:
            archive.writestr("chat.tab", rows.replace(b",", b"\t"))
    else:
        source.write_bytes((bz2 if name.endswith("bz2") else lzma).compress(rows))
    assert corpus_of(source) == "one\n"


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, lambda _: zipped("notes.txt")])
@pytest.mark.parametrize("end", [11, -1, -30])
def test_what_is_cut_short_is_refused(tmp_path: Path, pack: Callable[[bytes], bytes], end: int) -> None:
    source = tmp_path / "notes"
    source.write_bytes(pack(os.urandom(1000).hex().encode())[:end])
    assert refused(source).split(" (")[0].endswith(" data is truncated or damaged")


@pytest.mark.parametrize("pack", [bz2.compress, lzma.compress])
def test_a_bomb_is_refused_however_it_is_packed(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    source = tmp_path / "notes"
    source.write_bytes(pack(b"a" * (5 << 20)))
    assert refused(source).startswith("expands more than 200 times")


def test_a_locked_zip_is_reported(tmp_path: Path) -> None:
    data = bytearray(zipped("notes.txt"))
    data[6] |= 1  # the member's flag for a password, in its own header and in the archive's list
    data[data.index(b"PK\x01\x02") + 8] |= 1
    source = tmp_path / "notes.zip"
    source.write_bytes(data)
    assert refused(source) == "the zip is protected by a password; unpack it first"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("<!DOCTYPE html>\n<html>", "HTML"),
        ("  <!-- saved -->\n<HTML lang=de>", "HTML"),
        ("<div class=a>", "HTML"),
        ("<?xml version='1.0'?>", "XML"),
        ('{"text": "one", "user": 7}\n{"text"', "JSON"),
        ('[\n  {\n    "id": 1,', "JSON"),
        ('["one", "two"', "JSON"),
        ("{}\n{}", "JSON"),
        ("[12:03] <amy> hi", ""),
        ("[1] He said so.", ""),
        ("<amy> hi\n<bob> ho", ""),
        ("{ I begin", ""),
        ("[" * 5000, ""),
    ],
)
def test_markup_is_known_by_how_it_begins(text: str, kind: str) -> None:
    assert markup_of(text) == kind


@pytest.mark.parametrize(
    ("data", "values", "reported"),
    [
        (b"<html><p>one", {}, "looks like HTML, whose markup will be learned as text"),
        (b'{"text": "one"}', {}, "looks like JSON, "),
        (
            b"\x93Well\x94, she said",
            {"encoding": "latin-1"},
            "2 control characters from U+0080 to U+009F; the text was p",
        ),
        ("\u0093Well\u0094".encode(), {}, "2 control characters from U+0080 to U+009F; the text was probably cp1252"),
        (TEXT.encode(), {"encoding": "cp1252"}, "is also valid UTF-8, so ingest.encoding=cp1252 is probably wrong"),
        (f"text\n{TEXT}".encode(), {"encoding": "cp1252", "format": "csv"}, "is also valid UTF-8"),
        (TEXT.encode(), {}, ""),
        (b"text\n<html>", {"format": "csv"}, ""),
    ],
)
def test_what_is_probably_not_meant_is_a_warning(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], data: bytes, values: dict[str, object], reported: str
) -> None:
    log.set_up("ingest")
    source = tmp_path / "notes.txt"
    source.write_bytes(data)
    corpus_of(source, **values)
    said = capfd.readouterr().err
    assert said.count("warning:") == bool(reported)
    assert f"warning: {source}: {reported}" in said or not reported
