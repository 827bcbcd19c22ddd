"""Measures of wording: valid words, distinct runs, repetition."""

from components.judging.wording import worded, words_of

KNOWN = words_of("The cat sat. The dog's day; don't!")


def test_words_are_letters_and_digits_with_apostrophes_within() -> None:
    assert words_of("The cat's 3 toys_and\n'more' don\u2019t, été") == {
        "The", "cat's", "3", "toys", "and", "more", "don\u2019t", "été",
    }  # fmt: skip


def test_valid_words_are_those_of_the_training_text_but_for_a_texts_ends() -> None:
    assert worded(["xx cat sat zz yy", "dog's", "a don't the b"], KNOWN)["valid_words"] == 3 / 5


def test_distinct_counts_runs_over_all_texts_and_none_across_them() -> None:
    distinct = worded(["a b a b", "a b c"], KNOWN)["distinct"]
    assert distinct == {1: 3 / 7, 2: 3 / 5, 3: 3 / 3}


def test_self_repetition_is_within_a_text() -> None:
    assert worded(["a b c d e", "a b c d e"], KNOWN)["self_repetition"] == 0
    assert worded(["a b c d a b c d a"], KNOWN)["self_repetition"] == 2 / 6


def test_what_is_not_there_is_not_counted() -> None:
    assert worded(["", "a"], KNOWN) == {
        "valid_words": None,
        "distinct": {1: 1.0, 2: None, 3: None},
        "self_repetition": None,
    }
