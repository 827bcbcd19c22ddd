"""Losses in bits per character: what a fair coin, bytes and words come to."""

import math

import pytest

from components.artifacts.units import bits_per_character, tokens_a_character_of


def test_a_fair_coin_a_character_is_one_bit() -> None:
    assert bits_per_character(math.log(2), 1.0) == pytest.approx(1.0)


def test_a_word_of_four_characters_spreads_its_bits_over_them() -> None:
    assert bits_per_character(8 * math.log(2), 1 / 4) == pytest.approx(2.0)


@pytest.mark.parametrize(("held_out", "expected"), [(50, 10 / 50), (0, 300 / 900)])
def test_the_held_out_text_counts_where_there_is_one_else_all(held_out: int, expected: float) -> None:
    counts = {
        "train_tokens": 300,
        "train_characters": 900,
        "validation_tokens": 10 if held_out else 0,
        "validation_characters": held_out,
    }
    assert tokens_a_character_of(counts) == pytest.approx(expected)
