"""Gates: a text that is too small, shrank, is in another script or repeats itself fails with the figures."""

import logging
from pathlib import Path

import pytest

from components.artifacts.champion import Champion
from components.artifacts.lineage import lineage
from components.artifacts.manifest import MANIFEST_NAME
from components.ingest.config import IngestConfig
from components.ingest.ingesting import ingest
from components.ingest.statistics import Distinct
from tests.unit.ingest.champions import keep_champion
from tests.unit.ingest.ingested import assert_refused, run, write

LINES = "".join(f"line {number} of a tale\n" for number in range(100))


def checked(source: Path, champion: Path | str, **values: float) -> None:
    """Ingest with a champion's pointer."""
    config = IngestConfig(**values)  # type: ignore[arg-type]
    ingest(config, source=str(source), corpus=str(source.parent / "corpus"), champion=str(champion))


def failure(source: Path, champion: Path, **values: float) -> str:
    with pytest.raises(Exception) as raised:  # noqa: PT011 -- the text is what is looked at
        checked(source, champion, **values)
    assert type(raised.value).__name__ == "SourceError"
    assert not (source.parent / "corpus").exists()
    return str(raised.value)


def test_a_text_with_too_few_characters_is_refused_and_one_with_enough_passes(tmp_path: Path) -> None:
    text = write(tmp_path / "a.txt", "x" * 1999)
    message = r"a\.txt: 1,999 characters are fewer than ingest\.minimum_characters=2000; nothing is trained on it"
    assert_refused(tmp_path, text, message, minimum_characters=2000)
    run(text, tmp_path / "corpus", minimum_characters=1999)


def test_lines_that_repeat_are_counted_without_blank_ones(tmp_path: Path) -> None:
    text = write(tmp_path / "a.txt", "one\n\ntwo\n\none\none\n")
    message = r"50\.0% of 4 lines repeat an earlier one, more than ingest\.repeats_at_most=0\.4"
    assert_refused(tmp_path, text, message, repeats_at_most=0.4)
    run(text, tmp_path / "corpus", repeats_at_most=0.5)


def test_messages_of_a_table_that_repeat_are_counted_too(tmp_path: Path) -> None:
    table = write(tmp_path / "a.csv", "user,text\namy,so\nbob,so\namy,no\n")
    assert_refused(tmp_path, table, r"33\.3% of 3 messages repeat an earlier one", repeats_at_most=0.1)


def test_different_lines_are_counted_in_bounded_memory() -> None:
    distinct = Distinct(most=1000)
    for number in range(50_000):
        for _ in range(2):
            distinct.add(f"line {number}", 10)
    assert len(distinct._kept) <= 1000
    assert distinct.count == pytest.approx(50_000, rel=0.15)


def test_a_text_that_shrank_is_refused_with_both_sizes(tmp_path: Path) -> None:
    champion = keep_champion(tmp_path / "runs", LINES)
    half = write(tmp_path / "a.txt", LINES[: len(LINES) // 2])
    said = failure(half, champion, shrinks_at_most=0.3)
    assert (
        "895 characters are 50.0% fewer than the 1,790 of the champion's corpus, more than "
        "ingest.shrinks_at_most=0.3; nothing is trained on it"
    ) in said
    checked(half, champion, shrinks_at_most=0.5)


def test_characters_that_the_champion_never_saw_are_counted_and_named(tmp_path: Path) -> None:
    champion = keep_champion(tmp_path / "runs", LINES)
    other = write(tmp_path / "a.txt", LINES + "ЖЖЖя" * 100)
    said = failure(other, champion, new_characters_at_most=0.1)
    assert "18.3% of its characters never occur in the champion's corpus (such as U+0416 U+044F), more than" in said
    checked(other, champion, new_characters_at_most=0.2)


def test_all_limits_that_are_crossed_are_in_one_line(tmp_path: Path) -> None:
    champion = keep_champion(tmp_path / "runs", LINES)
    limits = {"minimum_characters": 100, "shrinks_at_most": 0.1, "new_characters_at_most": 0.1, "repeats_at_most": 0.1}
    said = failure(write(tmp_path / "a.txt", "Ж\n" * 9), champion, **limits)
    assert [name for name in limits if f"ingest.{name}=" in said] == list(limits)
    assert "\n" not in said


def test_a_text_that_grew_passes(tmp_path: Path) -> None:
    champion = keep_champion(tmp_path / "runs", LINES)
    checked(write(tmp_path / "a.txt", LINES * 2), champion, shrinks_at_most=0, new_characters_at_most=0)


@pytest.mark.parametrize("gone", ["champion", "corpus"])
def test_with_nothing_to_compare_with_the_text_passes_and_a_line_says_so(
    tmp_path: Path, gone: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "quillflow")
    champion = keep_champion(tmp_path / "runs", LINES)
    if gone == "champion":
        champion.unlink()
    else:
        (tmp_path / "runs" / "one" / "ingest" / "corpus" / MANIFEST_NAME).unlink()
    checked(write(tmp_path / "a.txt", "short"), champion, shrinks_at_most=0.1)
    said = {"champion": "no champion yet, so the text is not", "corpus": "the champion's corpus is gone, so the text"}
    assert said[gone] in caplog.text


def test_a_gate_that_needs_a_champion_is_refused_where_there_is_none(tmp_path: Path) -> None:
    text = write(tmp_path / "a.txt", LINES)
    assert_refused(tmp_path, text, r"ingest: shrinks_at_most need a champion to compare with", shrinks_at_most=0.1)


@pytest.mark.parametrize(
    ("layout", "corpus_in"),
    [
        ("{run}/{task}/{kind}", "one"),
        ("{run}/{task}/{kind}", "another, whose result the cache took"),
        ("text-generation/{run}/{task}/0b9d6f6c-7a55-4c58-9f6e-0123456789ab/{kind}", "one"),
        ("text-generation/{run}/{task}/0b9d6f6c-7a55-4c58-9f6e-0123456789ab/{kind}", "another"),
    ],
)
def test_a_models_lineage_is_found_in_its_run_and_below_the_root(tmp_path: Path, layout: str, corpus_in: str) -> None:
    pointer = keep_champion(tmp_path / "runs", LINES, layout=layout, corpus_in=corpus_in)
    run(
        write(tmp_path / "other.txt", "another text"),
        tmp_path / "runs" / layout.format(run="a", task="ingest", kind="corpus"),
    )
    chain = lineage(Champion.model_validate_json(pointer.read_text()).model)
    assert list(chain) == ["model", "dataset", "corpus"]
    assert chain["corpus"].manifest.counts["characters"] == len(LINES)
    expected = tmp_path / "runs" / layout.format(run=corpus_in, task="ingest", kind="corpus")
    assert chain["corpus"].place.local == expected
