"""Messages from CSV: columns, users and fractions, and every way in which a table can be broken."""

from collections import Counter
from pathlib import Path

import pytest

from components.artifacts.errors import UsageError
from components.ingest.config import IngestConfig
from tests.unit.ingest.tables import CHAT, corpus_of, read


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


@pytest.mark.parametrize("form", ["csv", "json"])
def test_keeping_users_needs_their_column(form: str) -> None:
    with pytest.raises(UsageError, match=r"^ingest: keep_users and drop_users need user_column$"):
        IngestConfig.parse({"format": form, "keep_users": ["amy"]}, "ingest")


def test_empty_and_blank_messages_are_left_out() -> None:
    assert read('text,user\n,a\n"  \t ",b\nx,c\n"\n",d\n\n') == ["x"]


def test_words_that_are_taken_for_missing_elsewhere_and_numbers_stay_text() -> None:
    assert read("text\nNA\nnull\nnan\n007\n1e5\nTrue\n") == ["NA", "null", "nan", "007", "1e5", "True"]


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
    assert corpus_of(source, user_column="user", keep_users=["amy"], first_fraction=0.5) == "one\n"
