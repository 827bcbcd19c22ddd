"""Copied passages are found, with their place, in bounded memory."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.command import log
from components.judging import copying
from components.judging.copying import LENGTHS, TrainingText

WORDS = st.text(alphabet="ab", max_size=60)
HUMAN = "It was the best of times, it was the worst of times, it was the age of wisdom. "


def plainly_longest(texts: list[str], training: str) -> int:
    return max(
        (end - begin for text in texts for begin in range(len(text)) for end in range(begin + 1, len(text) + 1)
         if text[begin:end] in training),
        default=0,
    )  # fmt: skip


@given(texts=st.lists(WORDS, max_size=3), training=WORDS)
@settings(max_examples=300, deadline=None)
def test_shares_and_the_longest_passage_are_those_of_a_plain_search(texts: list[str], training: str) -> None:
    shares, passage = TrainingText(training).copied(texts)
    for length in LENGTHS:
        runs = [text[place : place + length] for text in texts for place in range(len(text) - length + 1)]
        expected = np.mean([run in training for run in runs]) if runs else None
        assert shares[length] == pytest.approx(expected)
    longest = plainly_longest(texts, training)
    assert (passage.characters if passage else 0) == (longest if longest >= min(LENGTHS) else 0)
    if passage:
        assert passage.passage == training[passage.place :][: passage.characters]
        assert passage.passage == texts[passage.text][passage.at :][: passage.characters]


@pytest.mark.parametrize("size", [4, 31, 32, 33, 63, 64, 65, 100, 777])
def test_a_planted_passage_is_found_with_its_place(size: int) -> None:
    rng = np.random.default_rng(size)
    training = "".join(map(chr, rng.integers(0x4E00, 0x9FFF, 5_000)))
    texts = ["".join(map(chr, rng.integers(0xAC00, 0xD7A3, length))) for length in (900, 2_000, 10)]
    texts[1] = texts[1][:300] + training[1_234 : 1_234 + size] + texts[1][300:]
    _, passage = TrainingText(training).copied(texts)
    assert passage is not None
    assert (passage.characters, passage.text, passage.at, passage.place) == (size, 1, 300, 1_234)
    assert passage.before == training[1_194:1_234]
    assert passage.after == training[1_234 + size : 1_274 + size]


def test_a_passage_does_not_cross_from_one_text_into_the_next() -> None:
    shares, passage = TrainingText(HUMAN).copied([HUMAN[:20], HUMAN[20:40]])
    assert passage is not None
    assert passage.characters == 20
    assert shares == {4: 1.0, 8: 1.0, 16: 1.0, 32: None}


def test_nothing_in_common_is_no_passage() -> None:
    assert TrainingText(HUMAN).copied(["0123456789" * 8, ""]) == ({4: 0.0, 8: 0.0, 16: 0.0, 32: 0.0}, None)


def test_a_copy_is_found_across_the_chunks_that_a_long_text_is_read_in() -> None:
    training = "".join(map(chr, np.random.default_rng(1).integers(97, 123, 600_000)))
    begin = (1 << 18) - 50
    _, passage = TrainingText(training).copied(["0" * 99 + training[begin : begin + 100] + "0"])
    assert passage is not None
    assert (passage.characters, passage.at, passage.place) == (100, 99, begin)


def peak_of(training: str, texts: list[str]) -> int:
    """The most memory that looking for copies takes, in bytes, besides the training text."""
    index = TrainingText(training)
    tracemalloc.start()
    try:
        index.copied(texts)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_a_training_text_that_says_the_same_over_and_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(copying, "MAXIMUM_PLACES", 100_000)
    once, twice = (peak_of("-" * characters, ["-" * 200]) for characters in (1_000_000, 2_000_000))
    assert twice < 1.05 * once


def test_the_longest_passage_is_looked_for_at_so_many_places_and_that_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(copying, "MAXIMUM_PLACES", 1000)
    log.set_up("test")
    training = "-" * 300_000 + HUMAN * 3
    (_, first), (shares, other) = TrainingText(training).copied_each([["-" * 200], [HUMAN]])
    assert first is not None
    assert first.characters == 200
    assert shares[32] == 1.0  # these are of the whole text
    assert other is None
    assert "more than 1,000 places of the training text" in capsys.readouterr().err
