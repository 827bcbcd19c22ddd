"""The rows of a CSV: delimiters, headers, quotation marks, and every way in which a table can be broken."""

import itertools
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.artifacts.errors import SourceError, UsageError
from components.ingest import rows as rows_module
from components.ingest.config import IngestConfig
from tests.unit.ingest.tables import CHAT, as_csv, read

QUOTING_NONE = "if quotation marks are part of the text here, set ingest.quoting=none"


ELSE = "else double the quotation marks inside quoted fields"


SWALLOWED = 'amy,hi\nbob,"Well I never\n' + "".join(f"cy,line {n}\n" for n in range(300))


BOTH_READINGS = (
    "the quoted field from line 3 extends across lines that look like rows; "
    f"{QUOTING_NONE}; if they are one field, set ingest.quoting=standard"
)


def test_quoted_newlines_delimiters_and_quotes_belong_to_the_message() -> None:
    assert read('user,text\namy,"one,\n\ntwo ""three"""\nbob,four\n') == ['one,\n\ntwo "three"', "four"]


@pytest.mark.parametrize("delimiter", [";", "\t", "|", " ", "."])
def test_columns_are_cut_at_the_delimiter_set(delimiter: str) -> None:
    assert read(as_csv([["user", "text"], ["amy", "a,b"]], delimiter), delimiter=delimiter) == ["a,b"]


@pytest.mark.parametrize("delimiter", ['"', "\n", "\r", "\0", "→", "", ",,"])
def test_a_delimiter_that_can_not_work_is_refused(delimiter: str) -> None:
    with pytest.raises(UsageError, match=r"^ingest\.delimiter: "):
        IngestConfig.parse({"delimiter": delimiter}, "ingest")


def test_blanks_around_the_headers_names_are_taken_off() -> None:
    assert read(" user, text \namy,one\n", user_column="user") == ["one"]


def test_marks_in_the_headers_names_that_do_not_show_are_shown() -> None:
    with pytest.raises(SourceError) as raised:
        read("user,\u200etext\namy,one\n")
    assert str(raised.value) == r"chat.csv: the header has no column 'text'; did you mean '\u200etext'?"


def test_a_column_that_is_there_twice_is_refused() -> None:
    with pytest.raises(SourceError, match=r"^chat\.csv: the header has the column text 2 times$"):
        read("text,user, text\none,amy,two\n")


@pytest.mark.parametrize(
    ("text", "delimiter"), [("user;text\na;b", ";"), ("user\ttext\na\tb", "tab"), ("user|a;b|text\na|b|c", r"\|")]
)
def test_a_header_cut_at_another_delimiter_is_reported_with_it(text: str, delimiter: str) -> None:
    with pytest.raises(
        SourceError, match=rf"^chat\.csv: the header is one column, .*; set ingest\.delimiter={delimiter}$"
    ):
        read(text)


@pytest.mark.parametrize("written", ["tab", "\\t", "\t"])
def test_a_tab_is_written_as_a_word_too(written: str) -> None:
    assert read("user\ttext\namy\ta,b\n", delimiter=written) == ["a,b"]


@pytest.mark.parametrize("line", ["sep=;", "SEP=;", '"sep=;"'])
def test_a_line_that_says_the_delimiter_is_obeyed(line: str) -> None:
    assert read(f"{line}\nuser;text\namy;a,b\n", user_column="user") == ["a,b"]
    assert read(f"{line}\nuser;text\namy;a,b\n", delimiter=";") == ["a,b"]
    with pytest.raises(SourceError, match=r"its first line says .*, but ingest\.delimiter is ','; leave that at auto$"):
        read(f"{line}\nuser;text\n", delimiter=",")
    with pytest.raises(SourceError, match=r"line 3 has 3 fields, the first row 2$"):
        read(f"{line}\nuser;text\na;b;c\n")


def test_columns_go_by_number_where_there_is_no_header() -> None:
    values = {"header": False, "text_column": "2", "user_column": "1"}
    users: Counter[str] = Counter()
    assert read("amy,one\nbob,two\n", users=users, keep_users=["amy"], **values) == ["one"]
    assert users == {"amy": 1, "bob": 1}
    with pytest.raises(SourceError, match=r"there is no column 3, the first row has 2$"):
        read("amy,one\n", header=False, text_column="3")
    with pytest.raises(
        SourceError, match=r"no column '2'; known are amy, one; for a file without a header set ingest\.h"
    ):
        read("amy,one\n", text_column="2")


@pytest.mark.parametrize("column", ["text", "0", "-1", "1.5"])
def test_without_a_header_columns_are_numbers(column: str) -> None:
    with pytest.raises(UsageError, match=r"^ingest: without a header, text_column and user_column are column numb"):
        IngestConfig.parse({"header": False, "text_column": column}, "ingest")


@pytest.mark.parametrize("user_column", ["user", ""])
@pytest.mark.parametrize(
    "text",
    [
        'user,text\n{}bob,bye"\n',  # ends where a field may, by accident
        'user,text\n{}bob,bye"\namy,more\ncy,and more\n',
    ],
)
def test_rows_that_a_quotation_mark_swallows_are_refused_with_both_readings(text: str, user_column: str) -> None:
    text = text.format(SWALLOWED)
    with pytest.raises(SourceError) as raised:
        read(text, user_column=user_column)
    assert str(raised.value) == f"chat.csv: malformed CSV: {BOTH_READINGS}"
    kept = read(text, user_column=user_column, quoting="none")
    assert kept[:4] == ["hi", '"Well I never', "line 0", "line 1"]
    assert read(text, user_column=user_column, quoting="standard")[1].startswith("Well I never\ncy,line 0\n")


@pytest.mark.parametrize(
    "text",
    [
        'user,text\namy,a\nbob,"Oh\namy,b"\n',  # one row, by a user known before
        'user,text\nbob,"Oh\namy,b"\namy,c\n',  # by one who comes later
        'text,user\n"Oh,bob\nb,amy\nd",cy\na,amy\n',  # users are last
        'user,id,text\nbob,1,"Oh\namy,2,b"\namy,3,c\n',
        'text,user\na,"bob\nb,amy\nc,bob"\nd,amy\n',  # the user's own field
    ],
)
def test_a_single_swallowed_row_is_seen_by_its_user(text: str) -> None:
    with pytest.raises(SourceError, match="look like rows"):
        read(text, user_column="user")


def test_a_swallowed_row_is_seen_by_how_its_numbers_are_written() -> None:
    with pytest.raises(SourceError, match="look like rows"):
        read('time,text\n10:31,a\n10:32,"Oh\n10:33,b"\n')


@pytest.mark.parametrize(
    "rows",
    [
        [("user", "text"), ("amy", "Well,\nyes, I think\nso, too"), ("bob", "a, b\nc, d")],
        [("text", "user"), ("Well,\nyes, I think\nso, too", "amy"), ("a, b\nc, d", "amy"), ("x, y\nz", "amy")],
        [("id", "text", "user"), ("1", "a, b\nc, d, e", "amy"), ("2", "f\n\ng, h", "amy")],
        [("text",), ("one\ntwo\nthree",), ("one",)],
        [("user", "text"), ("amy", "\n".join(f"verse {n} of many" for n in range(50)))],
    ],
)
def test_messages_of_several_lines_are_not_suspected(rows: list[tuple[str, ...]]) -> None:
    expected = [dict(zip(rows[0], row, strict=True))["text"] for row in rows[1:]]
    assert read(as_csv(rows), user_column="user" if "user" in rows[0] else "") == expected


def test_a_row_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "LONGEST_ROW", 1000)
    for text in ("x" * 1200, '"' + "x\n" * 600):
        with pytest.raises(SourceError, match=r"line 2 begins a row of more than 1,000 characters; is it CSV\?$"):
            read("text\n", *text)


def test_a_row_of_fields_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "LONGEST_ROW", 1000)
    with pytest.raises(SourceError, match=r"line 2 begins a row of more than 1,000 characters; is it CSV\?$"):
        read("text\n", *['"a\n",'] * 600)


def test_columns_have_a_limit() -> None:
    most = rows_module.MOST_COLUMNS
    header = ",".join(["text", *map(str, range(most))])
    with pytest.raises(SourceError, match=r"the first row has 16,385 columns, more than 16,384; is it CSV\?$"):
        read(f"{header}\n")
    assert read(f"{header.rpartition(',')[0]}\n" + "hello" + "," * (most - 1) + "\n") == ["hello"]


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
        ("amy,hello, world\nbob,x\n", "line 2 has 3 fields, the first row 2"),
        ("bob,x\n\namy,hello, world\n", "line 4 has 3 fields, the first row 2"),
        ("bob,x\namy,hello\nworld\n", "line 4 has 1 of 2 fields; is a line end in its text unquoted?"),
        (
            'bob,x\namy,"hello\n',
            f"the quoted field from line 3 never ends; {QUOTING_NONE}",
        ),
        (
            'bob,x\namy,"hello\n\nthere" she said\n',
            f"text follows the quotation mark at line 5 that ends the field from line 3; {QUOTING_NONE}, {ELSE}",
        ),
    ],
)
def test_a_malformed_row_is_an_error_that_says_where(rows: str, reason: str) -> None:
    with pytest.raises(SourceError) as raised:
        read("user,text\n" + rows)
    assert str(raised.value) == f"chat.csv: malformed CSV: {reason}"


def test_a_file_with_a_header_only_has_no_messages() -> None:
    assert read("user,text\n") == []
    assert read("user,text") == []


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_a_file_without_a_header_is_an_error(text: str) -> None:
    with pytest.raises(SourceError, match=r"^chat\.csv: empty, without even a CSV header$"):
        read(text)


@given(
    rows=st.lists(st.tuples(st.sampled_from(["amy", "bob", "cy"]), st.text("ab ,\"\n'é\u2028")), max_size=12),
    places=st.lists(st.integers(0, 200), max_size=6),
)
@settings(deadline=None)
def test_nothing_depends_on_how_rows_and_text_are_cut(rows: list[tuple[str, str]], places: list[int]) -> None:
    text = as_csv([("user", "text"), *rows])
    edges = [0, *sorted({place for place in places if 0 < place < len(text)}), len(text)]
    users: Counter[str] = Counter()
    pieces = [text[start:end] for start, end in itertools.pairwise(edges)]
    kept = read(*pieces, user_column="user", drop_users=["cy"], users=users, quoting="standard")
    assert kept == [message for user, message in rows if user != "cy" and message.strip()]
    assert users == Counter(user for user, _ in rows)
