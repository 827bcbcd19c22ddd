"""The corpus's page shows its figures, first lines, characters and most active users, none of it as markup."""

from pathlib import Path

import pytest

from tests.unit.ingest.ingested import CHAT, report_of, run, write

pytestmark = pytest.mark.usefixtures("page")


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


def test_the_plot_distinguishes_users_whose_names_begin_alike_and_no_font_has(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    alike = "日本語" * 20
    source = write(tmp_path / "chat.csv", f"user,text\n{alike}1,a\n{alike}2,b\n{alike}2,c\n")
    run(source, tmp_path / "corpus", user_column="user")
    assert report_of(tmp_path / "corpus").count(f">{alike[:32]}</text>") == 2
    assert not recwarn.list
