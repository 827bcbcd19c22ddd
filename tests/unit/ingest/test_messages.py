import csv
import io
import itertools
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.artifacts.errors import SourceError, UsageError
from components.ingest import messages as messages_module
from components.ingest.config import IngestConfig
from components.ingest.ingesting import ingest
from components.ingest.messages import TextFile, first_messages, messages

CHAT = "user,text\namy,one\nbob,two\namy,three\ncy,four\n"


def read(*pieces: str, users: Counter[str] | None = None, **values: Any) -> list[str]:
    return list(itertools.chain(*messages(pieces, "chat.csv", IngestConfig(**values), users)))


def as_csv(rows: Iterable[Iterable[str]], delimiter: str = ",") -> str:
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return file.getvalue()


def corpus_of(source: Path, **values: Any) -> str:
    ingest(IngestConfig(**values), source=str(source), corpus=str(source.with_suffix(".corpus")))
    return (source.with_suffix(".corpus") / "text.txt").read_text(encoding="utf-8")


def test_the_text_column_is_read_in_order() -> None:
    assert read(CHAT) == ["one", "two", "three", "four"]
    assert read(CHAT, text_column="user") == ["amy", "bob", "amy", "cy"]


def test_only_kept_users_messages_are_read() -> None:
    assert read(CHAT, user_column="user", keep_users=["amy", "cy"]) == ["one", "three", "four"]


def test_dropped_users_messages_are_left_out() -> None:
    assert read(CHAT, user_column="user", drop_users=["amy"]) == ["two", "four"]


def test_dropping_wins_over_keeping() -> None:
    assert read(CHAT, user_column="user", keep_users=["amy", "bob"], drop_users=["bob"]) == ["one", "three"]


def test_users_are_counted_before_they_are_kept_or_dropped() -> None:
    users: Counter[str] = Counter()
    read(CHAT, user_column="user", drop_users=["amy"], users=users)
    assert users == {"amy": 2, "bob": 1, "cy": 1}


def test_users_are_not_counted_without_their_column() -> None:
    users: Counter[str] = Counter()
    read(CHAT, users=users)
    assert not users


def test_keeping_users_needs_their_column() -> None:
    with pytest.raises(UsageError, match=r"^ingest: keep_users and drop_users need user_column$"):
        IngestConfig.parse({"keep_users": ["amy"]}, "ingest")


def test_empty_and_blank_messages_are_left_out() -> None:
    assert read('text,user\n,a\n"  \t ",b\nx,c\n"\n",d\n\n') == ["x"]


def test_words_that_pandas_takes_for_missing_and_numbers_stay_text() -> None:
    assert read("text\nNA\nnull\nnan\n007\n1e5\nTrue\n") == ["NA", "null", "nan", "007", "1e5", "True"]


def test_quoted_newlines_delimiters_and_quotes_belong_to_the_message() -> None:
    assert read('user,text\namy,"one,\n\ntwo ""three"""\nbob,four\n') == ['one,\n\ntwo "three"', "four"]


@pytest.mark.parametrize("delimiter", [";", "\t", "|", " ", "."])
def test_columns_are_cut_at_the_delimiter_set(delimiter: str) -> None:
    assert read(as_csv([["user", "text"], ["amy", "a,b"]], delimiter), delimiter=delimiter) == ["a,b"]


@pytest.mark.parametrize("delimiter", ['"', "\n", "\r", "\0", "→", "", ",,"])
def test_a_delimiter_that_can_not_work_is_refused(delimiter: str) -> None:
    with pytest.raises(UsageError, match=r"^ingest\.delimiter: "):
        IngestConfig.parse({"delimiter": delimiter}, "ingest")


@pytest.mark.parametrize("rows", ["", "amy,hello\n"])
def test_a_missing_column_is_named_with_the_nearest(rows: str) -> None:
    with pytest.raises(SourceError) as raised:
        read("user,texts\n" + rows)
    assert str(raised.value) == "chat.csv: the header has no column 'text'; did you mean texts?"


def test_a_missing_user_column_is_named_with_all_where_none_is_near() -> None:
    with pytest.raises(SourceError, match=r"no column 'author'; known are text, user$"):
        read(CHAT, user_column="author")


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("amy,hello, world\nbob,x\n", "the first row has more fields than the header"),
        ("bob,x\namy,hello, world\n", "Expected 2 fields in line 3, saw 3"),
        ('bob,x\namy,"hello\n', "EOF inside string starting at row 2"),
    ],
)
def test_a_malformed_row_is_an_error_that_says_where(rows: str, reason: str) -> None:
    with pytest.raises(SourceError) as raised:
        read("user,text\n" + rows)
    assert str(raised.value) == f"chat.csv: malformed CSV: {reason}"


def test_a_malformed_row_is_found_in_a_later_chunk_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages_module, "ROWS_AT_ONCE", 2)
    with pytest.raises(SourceError, match=r"Expected 2 fields in line 5, saw 3"):
        read("user,text\na,1\na,2\na,3\na,4,5\n")


def test_a_file_with_a_header_only_has_no_messages() -> None:
    assert read("user,text\n") == []
    assert read("user,text") == []


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_a_file_without_a_header_is_an_error(text: str) -> None:
    with pytest.raises(SourceError, match=r"^chat\.csv: empty, not even a CSV header$"):
        read(text)


@given(
    rows=st.lists(st.tuples(st.sampled_from(["amy", "bob", "cy"]), st.text("ab ,\"\n'é\u2028")), max_size=12),
    rows_at_once=st.integers(1, 5),
    places=st.lists(st.integers(0, 200), max_size=6),
)
@settings(deadline=None)
def test_nothing_depends_on_how_rows_and_text_are_cut(
    rows: list[tuple[str, str]], rows_at_once: int, places: list[int]
) -> None:
    text = as_csv([("user", "text"), *rows])
    edges = [0, *sorted({place for place in places if 0 < place < len(text)}), len(text)]
    users: Counter[str] = Counter()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(messages_module, "ROWS_AT_ONCE", rows_at_once)
        pieces = [text[start:end] for start, end in itertools.pairwise(edges)]
        kept = read(*pieces, user_column="user", drop_users=["cy"], users=users)
    assert kept == [message for user, message in rows if user != "cy" and message.strip()]
    assert users == Counter(user for user, _ in rows)


def test_pieces_of_text_read_as_a_file_does() -> None:
    file = TextFile(["one\nt", "wo", "\nthree"])
    assert [file.read(3), next(file), next(file), file.read(2), file.read(), file.read(1)] == [
        "one",
        "\n",
        "two\n",
        "th",
        "ree",
        "",
    ]
    assert list(TextFile(["one\n\nt", "wo"])) == ["one\n", "\n", "two"]


def test_first_messages_stops_within_a_list_and_may_be_none() -> None:
    lists = [["a", "b"], ["c", "d"]]
    assert list(first_messages(lists, 3)) == ["a", "b", "c"]
    assert list(first_messages(lists, 0)) == []
    assert list(first_messages(lists, 9)) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(("fraction", "count"), [(0.5, 1), (0.67, 2), (1.0, 3), (0.34, 1)])
def test_the_first_fraction_of_the_messages_rounds_down(tmp_path: Path, fraction: float, count: int) -> None:
    source = tmp_path / "chat.csv"
    source.write_text("text\none\n\ntwo\nthree\n")
    assert corpus_of(source, first_fraction=fraction).split() == ["one", "two", "three"][:count]


@pytest.mark.parametrize("percent", [7, 14, 28, 29, 55, 56, 57, 58])
def test_a_fraction_is_taken_as_the_decimal_it_is_written_as(tmp_path: Path, percent: int) -> None:
    source = tmp_path / "chat.csv"
    source.write_text("text\n" + "word\n" * 100)
    assert corpus_of(source, first_fraction=percent / 100).split() == ["word"] * percent


def test_the_fraction_is_of_the_messages_that_users_leave(tmp_path: Path) -> None:
    source = tmp_path / "chat.csv"
    source.write_text(CHAT)
    assert corpus_of(source, user_column="user", keep_users=["amy"], first_fraction=0.5) == "one"
