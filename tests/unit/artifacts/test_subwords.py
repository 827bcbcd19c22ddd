"""Subwords: which merges are made, that tokens give the text back, and that they stay within words."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.artifacts.subwords import Merges, Subwords, learned

TEXT = "low lower lowest; new newer newest.\nLow, slow and new: slowest.\n" * 20


def cutter(text: str, size: int) -> Subwords:
    merges = learned([text], sorted(set(text)), size)
    tokens = sorted({*text, *(left + right for left, right in merges)})
    return Subwords({token: index for index, token in enumerate(tokens)}, merges)


def test_the_pair_that_occurs_most_often_is_merged_first() -> None:
    # "ab" occurs 6 times, " a" 5 times; then " " before "ab" 5 times, and " ab" before "c" 3 times.
    assert learned(["ab ab abc abc ab abc"], " abc", 7) == (("a", "b"), (" ", "ab"), (" ab", "c"))


@pytest.mark.parametrize("size", [20, 30, 37])
def test_there_are_as_many_tokens_as_asked_for(size: int) -> None:
    merges = learned([TEXT], sorted(set(TEXT)), size)
    assert len({*TEXT, *(left + right for left, right in merges)}) == size


def test_a_short_text_has_fewer() -> None:
    assert learned(["once"], "ceno", 1000) == ()


@given(cuts=st.lists(st.integers(0, len(TEXT)), max_size=4))
def test_the_merges_do_not_depend_on_the_pieces(cuts: list[int]) -> None:
    places = [0, *sorted(TEXT.rfind("\n", 0, cut) + 1 for cut in cuts), len(TEXT)]
    pieces = [TEXT[begin:end] for begin, end in itertools.pairwise(places)]
    assert learned(pieces, sorted(set(TEXT)), 60) == MERGES


MERGES: Merges = learned([TEXT], sorted(set(TEXT)), 60)


@given(
    text=st.text() | st.text("low newst.,;\n\u00e9\U0001f600") | st.lists(st.sampled_from(TEXT.split())).map(" ".join)
)
def test_the_tokens_of_any_text_give_it_back(text: str) -> None:
    assert "".join(cutter(TEXT, 60).cut(text)) == text


def test_a_frequent_word_is_one_token_and_a_rare_one_several() -> None:
    cut = cutter(TEXT, 60).cut
    assert cut("low new") == ["low", " new"]
    assert cut(" won") == [" ", "w", "o", "n"]


@given(text=st.lists(st.sampled_from(TEXT.split())).map(" ".join))
def test_no_token_goes_beyond_a_word_with_the_space_before_it(text: str) -> None:
    for token in cutter(TEXT, 200).cut(text.replace(".", ".\n")):
        assert re.fullmatch(r" ?[A-Za-z]+| ?[.,;:]+|\s", token)


def test_characters_that_are_not_in_the_vocabulary_are_tokens_as_they_are() -> None:
    assert cutter(TEXT, 60).cut("low \u4f60\u597d low") == ["low", " ", "\u4f60", "\u597d", " low"]
