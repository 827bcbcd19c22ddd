"""Where a growing text completes what it must not contain is found to the character, however it grows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.artifacts.vocabulary import code_points
from components.generator.passages import Passages
from components.generator.refused import Copies, Refused, Repeats

PIECES = st.lists(st.text(alphabet="ab\u00e9\U0001f600", max_size=9), max_size=6)


def grown(watch: Refused, pieces: list[str]) -> int | None:
    """Where in all pieces together the first refused character is."""
    before = 0
    for piece in pieces:
        if (first := watch.first(piece)) < len(piece):
            return before + first
        watch.take(piece)
        before += len(piece)
    return None


@given(prompt=st.text(alphabet="ab", max_size=6), pieces=PIECES, length=st.integers(1, 5))
def test_the_first_run_that_the_text_or_its_prompt_has_already_is_found(
    prompt: str, pieces: list[str], length: int
) -> None:
    whole = prompt + "".join(pieces)
    ends = [
        end
        for end in range(max(len(prompt) + 1, length), len(whole) + 1)
        if whole[end - length : end] in whole[: end - 1]
    ]
    assert grown(Repeats(length, prompt), pieces) == (ends[0] - 1 - len(prompt) if ends else None)


@given(corpus=st.text(alphabet="ab", max_size=12), pieces=PIECES, length=st.integers(1, 5))
def test_the_first_passage_of_the_corpus_is_found_and_the_prompt_does_not_count(
    corpus: str, pieces: list[str], length: int
) -> None:
    text = "".join(pieces)
    ends = [end for end in range(length, len(text) + 1) if text[end - length : end] in corpus]
    watch = Copies(Passages([code_points(corpus)], length), "ab")
    assert grown(watch, pieces) == (ends[0] - 1 if ends else None)


@pytest.mark.parametrize(("text", "place"), [("aaa", 2), ("abab", 3), ("abba", None)])
def test_a_run_may_overlap_itself(text: str, place: int | None) -> None:
    assert grown(Repeats(2, ""), [text]) == place
