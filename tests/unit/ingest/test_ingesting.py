"""A source of any kind becomes a corpus with its report, or an error and nothing else."""

import gzip
import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.errors import ArtifactError, UsageError
from components.artifacts.manifest import verify
from components.ingest import source as source_module
from components.ingest.config import IngestConfig
from tests.unit.ingest.ingested import CHAT, assert_refused, report_of, run, text_of, write


def test_a_text_file_becomes_a_corpus(tmp_path: Path) -> None:
    source = write(tmp_path / "notes.txt", "Cafe\u0301\r\n\r\n  \rtwo words\n")
    result = run(source, tmp_path / "corpus")
    counts = {
        "characters": 19,
        "bytes": 20,
        "distinct_characters": 12,
        "lines": 2,
        "users": 0,
        "replaced": 0,
    }
    assert result == {"corpus": str(tmp_path / "corpus"), "counts": counts}
    assert text_of(tmp_path / "corpus") == "Café\n\n  \ntwo words\n"
    assert sorted(path.name for path in (tmp_path / "corpus").iterdir()) == ["manifest.json", "report.html", "text.txt"]


def test_the_manifest_says_what_the_corpus_is_and_was_made_from(tmp_path: Path) -> None:
    source = write(tmp_path / "notes.txt", "one\ntwo")
    result = run(source, tmp_path / "corpus", lowercase=True)
    manifest = verify(tmp_path / "corpus", "corpus")
    assert (manifest.producer.stage, sorted(manifest.files)) == ("ingest", ["report.html", "text.txt"])
    assert manifest.counts == result["counts"]
    assert manifest.made_from == {"source": hashlib.sha256(source.read_bytes()).hexdigest()}
    assert manifest.config == {"source": str(source), **IngestConfig(lowercase=True).model_dump(mode="json")}


def test_the_format_can_be_set_against_the_name(tmp_path: Path) -> None:
    run(write(tmp_path / "chat.txt", CHAT), tmp_path / "corpus", format="csv")
    assert text_of(tmp_path / "corpus") == "Grüße an alle\ntwo\nthree\n"
    run(write(tmp_path / "chat.csv", CHAT), tmp_path / "corpus", format="text")
    assert text_of(tmp_path / "corpus") == CHAT


@pytest.mark.parametrize("name", ["chat.txt", "chat.csvs", "chat"])
@pytest.mark.parametrize(
    ("values", "given"),
    [
        ({"user_column": "user", "keep_users": ["amy"]}, "user_column, keep_users"),
        ({"user_column": "user", "drop_users": ["amy"]}, "user_column, drop_users"),
        ({"first_fraction": 0.5}, "first_fraction"),
        ({"text_column": "body"}, "text_column"),
        ({"quoting": "none"}, "quoting"),
    ],
)
def test_what_was_set_for_messages_is_never_left_out_in_silence(
    tmp_path: Path, name: str, values: dict[str, Any], given: str
) -> None:
    message = rf"^ingest: {tmp_path}/{name} is read as plain text, where {given} would have no effect; set ingest\."
    assert_refused(tmp_path, write(tmp_path / name, CHAT), message, **values)


@pytest.mark.parametrize("name", ["chat.tsv", "chat.TAB", "chat.tsv.gz"])
def test_a_name_may_say_that_tabs_separate_the_columns(tmp_path: Path, name: str) -> None:
    text = "user\ttext\namy\tGrüße, an alle\nbob\ttwo\n".encode()
    source = write(tmp_path / name, gzip.compress(text) if name.endswith(".gz") else text)
    run(source, tmp_path / "corpus", user_column="user", keep_users=["amy"])
    assert text_of(tmp_path / "corpus") == "Grüße, an alle\n"


def test_users_that_no_message_has_are_refused_with_the_nearest_there_are(tmp_path: Path) -> None:
    source = write(tmp_path / "chat.csv", CHAT + "\u200eCyd ,four\nDan\u00a0B,five\n")
    message = (
        r"/chat\.csv: no message is by 'Cyd' \(did you mean '\\u200eCyd '\?\), 'dan b' \(did you mean 'Dan\\xa0B'\?\), "
        r"'bo' \(did you mean bob\?\); correct ingest\.keep_users and drop_users$"
    )
    assert_refused(tmp_path, source, message, user_column="user", keep_users=["Cyd", "amy", "dan b"], drop_users=["bo"])
    message = r"no message is by 'zzz' \(the most active are amy, bob, '\\u200eCyd ', 'Dan\\xa0B'\); "
    assert_refused(tmp_path, source, message, user_column="user", drop_users=["zzz"])
    run(source, tmp_path / "corpus", user_column="user", keep_users=["\u200eCyd "])
    assert text_of(tmp_path / "corpus") == "four\n"


@pytest.mark.usefixtures("page")
def test_undecodable_bytes_are_replaced_and_counted_when_asked(tmp_path: Path) -> None:
    source = write(tmp_path / "notes.txt", b"a\xffb\0c" + b"d" * 195)
    counts = run(source, tmp_path / "corpus", undecodable="replace")["counts"]
    assert (text_of(tmp_path / "corpus"), counts["replaced"]) == ("a\ufffdb\ufffdc" + "d" * 195, 2)
    assert "<b>2</b>replaced" in report_of(tmp_path / "corpus")
    chat = write(tmp_path / "chat.csv", b"text\na\xff\n\0\n" + b"word\n" * 50)
    assert run(chat, tmp_path / "corpus", undecodable="replace")["counts"]["replaced"] == 2


@pytest.mark.parametrize("name", ["notes.txt", "notes.csv"])
def test_more_than_a_hundredth_replaced_is_refused(tmp_path: Path, name: str) -> None:
    source = write(tmp_path / name, b"text\na\xffb\0c" + b"d" * 189)
    message = r"/notes\....: 2 of 199 characters are not utf-8, more than 1 %; set ingest\.encoding to the one the text"
    assert_refused(tmp_path, source, message, undecodable="replace")


def test_a_text_is_the_same_however_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write(tmp_path / "notes.txt", "\ufeffCafe\u0301\r\nΛΣ und \u1100\u1161\u11a8\r\n" * 20)
    result = run(source, tmp_path / "corpus", lowercase=True)
    manifest = (tmp_path / "corpus" / "manifest.json").read_bytes()
    monkeypatch.setattr(source_module, "CHUNK_BYTES", 7)
    assert run(source, tmp_path / "corpus", lowercase=True) == result
    assert (tmp_path / "corpus" / "manifest.json").read_bytes() == manifest


@pytest.mark.parametrize(("name", "content"), [("notes.txt", ""), ("bom.txt", "\ufeff"), ("chat.csv", "text\n\n")])
def test_a_source_without_text_is_refused(tmp_path: Path, name: str, content: str) -> None:
    assert_refused(tmp_path, write(tmp_path / name, content), rf"{name}: contains no text$")


def test_a_source_that_filters_leave_nothing_of_is_refused_with_their_names(tmp_path: Path) -> None:
    source = write(tmp_path / "chat.csv", CHAT)
    message = r"chat\.csv: contains no text after keep_users, drop_users and first_fraction$"
    assert_refused(tmp_path, source, message, user_column="user", keep_users=["bob"], drop_users=["bob"])
    assert_refused(tmp_path, source, message, first_fraction=0.3)


def test_a_foreign_directory_is_refused_before_the_source_is_read_and_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / "home"
    mine.mkdir()
    write(mine / "thesis.doc", "precious")
    with pytest.raises(ArtifactError, match="holds files that are not an artifact"):
        run(tmp_path / "missing.txt", mine)
    assert [path.name for path in tmp_path.rglob("*")] == ["home", "thesis.doc"]
    assert (mine / "thesis.doc").read_text() == "precious"


def test_nothing_is_left_when_it_fails_half_way(tmp_path: Path) -> None:
    source = write(tmp_path / "notes.txt", b"a" * (3 << 20) + b"\xff")
    assert_refused(tmp_path, source, "not utf-8 at byte 3,145,728 ")


def test_an_older_corpus_stays_when_a_newer_one_fails_and_goes_when_it_succeeds(tmp_path: Path) -> None:
    source = write(tmp_path / "notes.txt", "old")
    run(source, tmp_path / "corpus")
    write(source, "bad\0")
    assert_refused(tmp_path, source, "a NUL at byte 3, ")
    assert text_of(tmp_path / "corpus") == "old"
    write(source, "new")
    run(source, tmp_path / "corpus")
    assert text_of(tmp_path / "corpus") == "new"
    verify(tmp_path / "corpus", "corpus")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "notes.txt"]


def test_a_corpus_is_not_made_from_the_text_it_would_replace(tmp_path: Path) -> None:
    run(write(tmp_path / "notes.txt", "Old"), tmp_path / "corpus")
    with pytest.raises(UsageError, match="or one is inside the other; choose another place for --corpus"):
        run(tmp_path / "corpus" / "text.txt", tmp_path / "corpus", lowercase=True)
    assert text_of(tmp_path / "corpus") == "Old"


@pytest.mark.usefixtures("page")
@pytest.mark.slow("processes of their own")
def test_two_processes_write_the_same_manifest(tmp_path: Path) -> None:
    source = write(tmp_path / "chat.csv", CHAT + "cy,four\ndan,five\n")
    run(source, tmp_path / "one", user_column="user")
    command = [sys.executable, "-m", "components.ingest", "--user-column", "user"]
    for seed in "12":
        subprocess.run(
            [*command, "--source", str(source), "--corpus", str(tmp_path / seed)],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo"},
            check=True,
        )
        assert (tmp_path / seed / "manifest.json").read_bytes() == (tmp_path / "one" / "manifest.json").read_bytes()
