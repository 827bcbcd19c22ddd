"""Each format is known by its files' names and beginnings, and read with the same settings for users and fractions."""

import gzip
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any, get_args

import pytest

from components.artifacts.manifest import read_manifest
from components.command import log
from components.ingest.config import CHATS, IngestConfig
from components.ingest.formats import FORMATS
from tests.unit.ingest.chats import as_telegram, telegram
from tests.unit.ingest.ingested import assert_refused, report_of, run, text_of, write
from tests.unit.ingest.test_gutenberg import ABOUT, BOOK, END, LICENCE, NOW

SAID = [("Ada", "one"), ("Bob", "two"), ("Ada", "three\nlines"), ("Cy", "four")]
OBJECTS = [{"user": user, "text": text} for user, text in SAID]
WHATSAPP = "".join(f"31.12.20, 21:15 - {user}: {text}\n" for user, text in SAID)
CHAT_FILES = {
    "chat.csv": "user,text\n" + "".join(f'{user},"{text}"\n' for user, text in SAID),
    "chat.json": json.dumps(OBJECTS),
    "chat.jsonl": "".join(json.dumps(one) + "\n" for one in OBJECTS),
    "WhatsApp Chat with Ada.txt": WHATSAPP,
    "result.json": as_telegram(telegram({"from": user, "text": text} for user, text in SAID)),
}
IPHONE = "\u200e[31.12.20, 21:15:30] Ada: \u200e<attached: 1-PHOTO.jpg>\n[31.12.20, 21:15:30] Ada: look!\n"


def column(name: str) -> dict[str, Any]:
    return {} if "WhatsApp" in name or "result" in name else {"user_column": "user"}


def zipped(path: Path, files: dict[str, str | bytes]) -> Path:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return write(path, file.getvalue())


def test_the_table_has_every_format_that_can_be_set() -> None:
    assert {one.name for one in FORMATS} == {*get_args(IngestConfig.model_fields["format"].annotation)} - {"auto"}
    assert set(CHATS) < {one.name for one in FORMATS}


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", CHAT_FILES)
def test_users_are_kept_and_counted_alike_in_all_formats(tmp_path: Path, name: str, packed: bool) -> None:
    data = CHAT_FILES[name].encode()
    source = write(tmp_path / (f"{name}.gz" if packed else name), gzip.compress(data) if packed else data)
    counts = run(source, tmp_path / "corpus", keep_users=["Ada"], **column(name))["counts"]
    assert text_of(tmp_path / "corpus").split() == ["one", "three", "lines"]
    assert (counts["messages"], counts["users"]) == (2, 3)
    assert "Activity by user" in report_of(tmp_path / "corpus")


@pytest.mark.parametrize("name", CHAT_FILES)
def test_the_first_fraction_and_a_mistyped_user_are_alike_in_all_formats(tmp_path: Path, name: str) -> None:
    source = write(tmp_path / name, CHAT_FILES[name])
    run(source, tmp_path / "corpus", first_fraction=0.5)
    assert text_of(tmp_path / "corpus").split() == ["one", "two"]
    message = r"no message is by 'ada' \(did you mean Ada\?\); correct ingest\.keep_users"
    assert_refused(tmp_path, source, message, keep_users=["ada"], **column(name))


@pytest.mark.parametrize("name", ["WhatsApp Chat with Ada.txt", "result.json"])
def test_a_chat_knows_its_columns(tmp_path: Path, name: str) -> None:
    source = write(tmp_path / name, CHAT_FILES[name])
    run(source, tmp_path / "corpus", text_column="text", user_column="user")
    message = r"^ingest: text_column and user_column are for CSV and JSON; format=(whatsapp|telegram) knows its own$"
    assert_refused(tmp_path, source, message, user_column="name")


def test_settings_of_another_format_are_refused(tmp_path: Path) -> None:
    message = r"chat\.json is read as JSON, where quoting would have no effect; set ingest\.format if it is of another"
    assert_refused(tmp_path, write(tmp_path / "chat.json", "[]"), message, quoting="none")
    message = r"chat\.csv is read as CSV, where strip_gutenberg would have no effect"
    assert_refused(tmp_path, write(tmp_path / "chat.csv", "text\n"), message, strip_gutenberg=True)
    message = r"^ingest: keep_users and drop_users need user_column$"
    assert_refused(tmp_path, tmp_path / "chat.json", message, keep_users=["Ada"])


def test_files_of_two_formats_are_refused(tmp_path: Path) -> None:
    for name in ("chat.csv", "chat.json"):
        write(tmp_path / name, CHAT_FILES[name])
    assert_refused(
        tmp_path, f"{tmp_path}/chat.*", r"chat\.csv and .*chat\.json: one is CSV and one JSON; set ingest\.format, or"
    )


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_byte_order_mark_hides_no_format(tmp_path: Path, encoding: str) -> None:
    for name in ("WhatsApp Chat with Ada.txt", "result.json"):
        run(write(tmp_path / name, CHAT_FILES[name].encode(encoding)), tmp_path / "corpus", keep_users=["Bob"])
        assert text_of(tmp_path / "corpus") == "two\n"


@pytest.mark.parametrize(
    ("export", "text"), [("_chat.txt", IPHONE), ("WhatsApp Chat with Ada.txt", IPHONE), ("Export/result.json", "")]
)
def test_an_export_is_found_among_its_photos(tmp_path: Path, export: str, text: str) -> None:
    said = text or as_telegram(telegram([{"from": "Ada", "text": "look!"}]))
    source = zipped(tmp_path / "export.zip", {"1-PHOTO.jpg": b"\xff\xd8\xff", "2-plan.txt": "plans", export: said})
    run(source, tmp_path / "corpus", keep_users=["Ada"])
    assert text_of(tmp_path / "corpus") == "look!\n"


def test_an_archive_of_two_exports_is_refused(tmp_path: Path) -> None:
    source = zipped(tmp_path / "a.zip", {"_chat.txt": IPHONE, "WhatsApp Chat.txt": IPHONE})
    assert_refused(tmp_path, source, r"a\.zip: is a zip archive of 2 files; unpack it and name the directory")


def test_an_export_that_expands_like_a_bomb_is_refused_however_large_its_photos(tmp_path: Path) -> None:
    chat = IPHONE + "a" * (5 << 20)
    source = zipped(tmp_path / "a.zip", {"_chat.txt": chat, "1.jpg": bytes(range(256)) * 8})
    assert_refused(tmp_path, source, r"a\.zip: expands more than 200 times, as a decompression bomb does")
    assert_refused(tmp_path, source, r"more than ingest\.maximum_bytes \(1,000\) of text", maximum_bytes=1000)


@pytest.mark.parametrize("end", [60, -30, None])
def test_a_damaged_archive_is_refused(tmp_path: Path, end: int | None) -> None:
    source = zipped(tmp_path / "a.zip", {"_chat.txt": IPHONE * 9, "1.jpg": b"\xff\xd8\xff" * 99})
    data = bytearray(source.read_bytes())
    data[50] ^= 0xFF
    assert_refused(tmp_path, write(source, bytes(data[:end])), r"a\.zip: the zip data is truncated or damaged \(")


def test_escaped_halves_count_among_what_is_replaced(tmp_path: Path) -> None:
    source = write(tmp_path / "a.json", '["one \\ud83d"]' + " " * 200)
    assert run(source, tmp_path / "corpus", undecodable="replace")["counts"]["replaced"] == 1
    assert text_of(tmp_path / "corpus") == "one \ufffd\n"
    message = r"4 of 28 characters are not utf-8, more than 1 %"
    assert_refused(tmp_path, write(source, '["\\ud83d\\ud83d\\ud83d\\ud83d"]'), message, undecodable="replace")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (WHATSAPP, "looks like a WhatsApp export, whose times will be learned as text; set ingest.format=whatsapp"),
        (CHAT_FILES["result.json"], "looks like a Telegram export, whose markup will be learned as text; set ingest.f"),
        (CHAT_FILES["chat.jsonl"], "looks like JSON, whose markup will be learned as text; set ingest.format=json, or"),
        (ABOUT + NOW + BOOK, "has Project Gutenberg's header, which will be learned as text; set ingest.strip_gutenbe"),
        ("Dear diary\n", ""),
    ],
)
def test_a_text_that_looks_like_something_else_is_a_warning_with_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, hint: str
) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(log, "warning", warnings.append)
    source = write(tmp_path / "notes.txt", text)
    run(source, tmp_path / "corpus")
    assert [re.sub(r"^.*?/notes\.txt: ", "", warning)[: len(hint)] for warning in warnings] == [hint] * bool(hint)


def test_a_book_is_stripped_if_asked(tmp_path: Path) -> None:
    book = write(tmp_path / "mill.txt", f"{ABOUT}{NOW}{BOOK}\n{END}{LICENCE}".replace("\n", "\r\n"))
    run(book, tmp_path / "corpus", strip_gutenberg=True)
    assert text_of(tmp_path / "corpus") == f"{BOOK}\n"
    assert read_manifest(tmp_path / "corpus").config["strip_gutenberg"] is True
    message = r"notes\.txt: has no header or licence of Project Gutenberg; leave ingest\.strip_gutenberg at no$"
    assert_refused(tmp_path, write(tmp_path / "notes.txt", BOOK), message, strip_gutenberg=True)
    run(f"{tmp_path}/*.txt", tmp_path / "corpus", strip_gutenberg=True)
    assert text_of(tmp_path / "corpus") == f"{BOOK}\n\n{BOOK}"
