import gzip
import hashlib
import os
import subprocess
import sys
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

import pytest

from components.artifacts.errors import ArtifactError, SourceError, UsageError
from components.artifacts.manifest import read_manifest, verify
from components.ingest import source as source_module
from components.ingest.config import IngestConfig
from components.ingest.ingesting import ingest

CHAT = "user,text\namy,Grüße an alle\nbob,two\namy,three\n"


def run(source: Path | str, corpus: Path, **values: Any) -> Mapping[str, Any]:
    return ingest(IngestConfig(**values), source=str(source), corpus=str(corpus))


def text_of(corpus: Path) -> str:
    return (corpus / "text.txt").read_bytes().decode()


def report_of(corpus: Path) -> str:
    return (corpus / "report.html").read_text(encoding="utf-8")


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def assert_refused(tmp_path: Path, source: Path | str, message: str, **values: Any) -> None:
    """Ingest fails as said and leaves everything as it was."""
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises((SourceError, UsageError), match=message):
        run(source, tmp_path / "corpus", **values)
    assert sorted(tmp_path.rglob("*")) == before


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


def test_gzip_text_is_recognised_by_its_bytes_not_its_name(tmp_path: Path) -> None:
    source = write(tmp_path / "notes.txt", gzip.compress(b"one\n") + gzip.compress(b"two\n"))
    run(source, tmp_path / "corpus")
    assert text_of(tmp_path / "corpus") == "one\ntwo\n"
    packed = hashlib.sha256(source.read_bytes()).hexdigest()
    assert read_manifest(tmp_path / "corpus").made_from == {"source": packed}


def test_a_csv_is_recognised_by_its_name_in_any_case_and_packed(tmp_path: Path) -> None:
    source = write(tmp_path / "Chat.CSV.gz", gzip.compress(CHAT.encode()))
    result = run(source, tmp_path / "corpus", user_column="user", lowercase=True)
    assert text_of(tmp_path / "corpus") == "grüße an alle two three"
    assert (result["counts"]["messages"], result["counts"]["users"]) == (3, 2)


def test_the_format_can_be_set_against_the_name(tmp_path: Path) -> None:
    run(write(tmp_path / "chat.txt", CHAT), tmp_path / "corpus", format="csv")
    assert text_of(tmp_path / "corpus") == "Grüße an alle two three"
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
    message = rf"^ingest: {tmp_path}/{name} is read as plain text, in which {given} would have no part; set ingest\."
    assert_refused(tmp_path, write(tmp_path / name, CHAT), message, **values)


@pytest.mark.parametrize("name", ["chat.tsv", "chat.TAB", "chat.tsv.gz"])
def test_a_name_may_say_that_tabs_separate_the_columns(tmp_path: Path, name: str) -> None:
    text = "user\ttext\namy\tGrüße, an alle\nbob\ttwo\n".encode()
    source = write(tmp_path / name, gzip.compress(text) if name.endswith(".gz") else text)
    run(source, tmp_path / "corpus", user_column="user", keep_users=["amy"])
    assert text_of(tmp_path / "corpus") == "Grüße, an alle"


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
    assert text_of(tmp_path / "corpus") == "four"


def test_the_embedded_corpus_is_pythons_reference_topics(tmp_path: Path) -> None:
    counts = run("builtin:python-docs", tmp_path / "corpus")["counts"]
    text = text_of(tmp_path / "corpus")
    assert text == unicodedata.normalize("NFC", "\n".join(topics[name] for name in sorted(topics)))
    assert counts["characters"] == len(text) > 400_000
    assert counts["distinct_characters"] == len(set(text))
    assert read_manifest(tmp_path / "corpus").config["source"] == "builtin:python-docs"


def test_the_embedded_corpus_has_an_encoding_of_its_own(tmp_path: Path) -> None:
    message = r"^ingest\.encoding=latin-1 has no part in builtin:python-docs; leave it at utf-8$"
    assert_refused(tmp_path, "builtin:python-docs", message, encoding="latin-1")


def test_a_file_uri_names_a_source_and_a_corpus(tmp_path: Path) -> None:
    source = write(tmp_path / "my notes.txt", "one")
    uri = (tmp_path / "the corpus").as_uri()
    assert ingest(IngestConfig(), source=source.as_uri(), corpus=uri)["corpus"] == uri
    assert text_of(tmp_path / "the corpus") == "one"


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


def test_the_report_shows_facts_first_lines_and_frequent_characters(tmp_path: Path) -> None:
    source = write(tmp_path / "notes.txt", "".join(f"line {number}\n" for number in range(1, 2001)))
    run(source, tmp_path / "corpus")
    report = report_of(tmp_path / "corpus")
    assert f'<p class="soft break">{source}</p>' in report
    for fact in ("<b>18,893</b>characters", "<b>16</b>distinct characters", "<b>2,000</b>lines"):
        assert fact in report
    first = "\n".join(f"line {number}" for number in range(1, 11))
    assert f'dir="ltr">{first}</div>' in report
    assert "<td>&#39;\\n&#39;<td>U+000A<td>control character<td>2,000<td>10.59%</tr>" in report
    assert [report.count(f">{name}</text>") for name in (2, 4, 8)] == [1, 2, 2]  # as characters, and 4 and 8 as lengths
    assert "the longest has 9." in report
    assert "users" not in report
    assert "replaced" not in report


def test_the_report_shortens_a_long_message(tmp_path: Path) -> None:
    run(write(tmp_path / "notes.txt", "x" * 3_000_000), tmp_path / "corpus")
    report = report_of(tmp_path / "corpus")
    assert f'dir="ltr">{"x" * 400} ...</div>' in report
    assert "the longest has 3,000,000." in report
    assert len(report) < 30_000


def test_the_report_lets_no_message_user_or_name_be_markup(tmp_path: Path) -> None:
    row = '"<i>amy</i> & $x$",<script>alert(1)</script>\n'
    source = write(tmp_path / "<b>chat<b>.csv", "user,text\n" + row)
    run(source, tmp_path / "corpus", user_column="user")
    report = report_of(tmp_path / "corpus")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in report
    assert "&lt;i&gt;amy&lt;/i&gt; &amp; $x$</text>" in report
    assert "&lt;b&gt;chat&lt;b&gt;.csv" in report
    assert not any(markup in report for markup in ("<script", "<i>", "<b>chat"))


def test_the_report_plots_the_most_active_users(tmp_path: Path) -> None:
    rows = "".join(f"user{number},hello\n" * number for number in range(1, 21))
    source = write(tmp_path / "chat.csv", "user,text\n" + rows)
    run(source, tmp_path / "corpus", user_column="user", drop_users=["user20"])
    report = report_of(tmp_path / "corpus")
    assert report.count("<svg") == 3
    assert "<?xml" not in report
    assert [f">user{number}</text>" in report for number in (1, 2, 5, 6, 20)] == [False, False, False, True, True]
    assert ">20</text>" in report
    assert "<b>20</b>users" in report


def test_users_are_counted_past_the_first_fraction(tmp_path: Path) -> None:
    counts = run(write(tmp_path / "chat.csv", CHAT), tmp_path / "corpus", user_column="user", first_fraction=0.34)[
        "counts"
    ]
    assert (counts["messages"], counts["users"]) == (1, 2)
    assert ">2</text>" in report_of(tmp_path / "corpus")  # both of amy's


def test_the_plot_tells_users_apart_whose_names_begin_alike_and_no_font_has(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    alike = "日本語" * 20
    source = write(tmp_path / "chat.csv", f"user,text\n{alike}1,a\n{alike}2,b\n{alike}2,c\n")
    run(source, tmp_path / "corpus", user_column="user")
    assert report_of(tmp_path / "corpus").count(f">{alike[:32]}</text>") == 2
    assert not recwarn.list


@pytest.mark.parametrize(("name", "content"), [("notes.txt", ""), ("bom.txt", "\ufeff"), ("chat.csv", "text\n\n")])
def test_a_source_without_text_is_refused(tmp_path: Path, name: str, content: str) -> None:
    assert_refused(tmp_path, write(tmp_path / name, content), rf"{name}: no text in it$")


def test_a_source_that_filters_leave_nothing_of_is_refused_with_their_names(tmp_path: Path) -> None:
    source = write(tmp_path / "chat.csv", CHAT)
    message = r"chat\.csv: no text in it is left by keep_users, drop_users and first_fraction$"
    assert_refused(tmp_path, source, message, user_column="user", keep_users=["bob"], drop_users=["bob"])
    assert_refused(tmp_path, source, message, first_fraction=0.3)


def test_a_foreign_directory_is_refused_before_the_source_is_read_and_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / "home"
    mine.mkdir()
    write(mine / "thesis.doc", "precious")
    with pytest.raises(ArtifactError, match="holds files that are no artifact"):
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
    with pytest.raises(UsageError, match="or one lies inside the other; choose another place for --corpus"):
        run(tmp_path / "corpus" / "text.txt", tmp_path / "corpus", lowercase=True)
    assert text_of(tmp_path / "corpus") == "Old"


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


def test_a_gzip_bomb_is_refused_by_its_ratio(tmp_path: Path) -> None:
    source = write(tmp_path / "notes.txt.gz", gzip.compress(b"a" * (5 << 20)))
    assert_refused(tmp_path, source, r"notes\.txt\.gz: expands more than 200 times")
    run(source, tmp_path / "corpus", maximum_gzip_ratio=2000)
    assert len(text_of(tmp_path / "corpus")) == 5 << 20


def test_a_small_gzip_may_expand_as_it_likes(tmp_path: Path) -> None:
    run(write(tmp_path / "notes.txt.gz", gzip.compress(b"a" * 500_000)), tmp_path / "corpus")
    assert len(text_of(tmp_path / "corpus")) == 500_000


@pytest.mark.parametrize("packed", [True, False])
def test_more_than_maximum_bytes_are_refused_packed_or_not(tmp_path: Path, packed: bool) -> None:
    text = b"word " * 1000
    source = write(tmp_path / "notes", gzip.compress(text) if packed else text)
    assert_refused(tmp_path, source, r"more than ingest\.maximum_bytes \(4,999\) of text", maximum_bytes=4999)
    run(source, tmp_path / "corpus", maximum_bytes=5000)


@pytest.mark.parametrize("end", [3, 12, 200, -9, -8, -1])
def test_gzip_that_is_broken_off_anywhere_is_refused(tmp_path: Path, end: int) -> None:
    packed = gzip.compress(os.urandom(1000).hex().encode())
    source = write(tmp_path / "notes.txt.gz", packed[:end])
    assert_refused(tmp_path, source, r"notes\.txt\.gz: the gzip data is truncated or damaged \(")


@pytest.mark.parametrize("place", [2, 30, -6, -2])
def test_gzip_with_a_flipped_byte_is_refused(tmp_path: Path, place: int) -> None:
    packed = bytearray(gzip.compress(b"one two three four five six seven eight nine ten eleven twelve"))
    packed[place] ^= 0xFF
    source = write(tmp_path / "notes.txt.gz", bytes(packed))
    assert_refused(tmp_path, source, r"notes\.txt\.gz: the gzip data is truncated or damaged \(")


def test_an_unknown_builtin_is_refused_with_the_one_there_is(tmp_path: Path) -> None:
    assert_refused(
        tmp_path, "builtin:novels", r"^builtin:novels: no such built-in corpus; there is builtin:python-docs$"
    )


def test_a_missing_source_is_refused(tmp_path: Path) -> None:
    assert_refused(tmp_path, tmp_path / "missing.txt", r"/missing\.txt: no such file$")
