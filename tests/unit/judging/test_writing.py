"""Samples are compared with people's text of the same length."""

import numpy as np
import pytest

from components.judging.writing import HELD_OUT, cut, judge_samples, pieces_like

LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz     "))


def text_of(seed: int, characters: int) -> str:
    return "".join(np.random.default_rng(seed).choice(LETTERS, characters))


def rows_of(texts: list[str], temperature: float = 1.0, strategy: str = "temperature") -> list[dict[str, object]]:
    return [{"id": 70 + n, "text": text, "temperature": temperature, "strategy": strategy} for n, text in
            enumerate(texts)]  # fmt: skip


def test_texts_are_cut_to_so_many_characters_in_all() -> None:
    assert cut(["abc", "defg", "hi"], 5) == ["abc", "de"]
    assert cut(["abc", "defg"], 7) == ["abc", "defg"]


@pytest.mark.parametrize("spare", [0, 1, 50])
def test_human_pieces_are_as_long_and_spread_over_the_whole(spare: int) -> None:
    human = text_of(1, 30 + spare)
    pieces = pieces_like(["x" * 10, "x" * 15, "x" * 5], human)
    assert list(map(len, pieces)) == [10, 15, 5]
    places = [human.index(piece) for piece in pieces]
    assert places == sorted(places)
    assert places[2] - 25 >= spare * 2 // 3 - 1


def test_samples_that_copy_are_distinguished_from_those_that_do_not() -> None:
    training, human = text_of(1, 20_000), text_of(2, 3_000)
    own = judge_samples(rows_of([text_of(3, 400), text_of(4, 400)]), training, human)
    assert not own["copies"]
    assert own["verdict"].startswith("These samples do not copy: 0.0% of the runs of 32 characters")
    copied = judge_samples(rows_of([text_of(3, 400), training[500:900]]), training, human)
    assert copied["copies"]
    assert "50.0% of the runs of 32 characters at temperature 1" in copied["verdict"]
    assert (copied["longest"]["id"], copied["longest"]["place"], copied["longest"]["characters"]) == (71, 500, 400)
    one_passage = judge_samples(
        rows_of([text_of(seed, 400) for seed in range(10, 19)] + [training[:120]]), training, human
    )
    assert one_passage["copies"]
    assert (
        "These samples hold a copy: a passage of 120 characters; the longest in held-out text has"
        in one_passage["verdict"]
    )


def test_what_people_copy_alike_is_no_copying() -> None:
    training = "The licence says what may be done with this, and what may not be done at all. " * 50
    judged = judge_samples(rows_of([training[10:300]]), training, training[40:900])
    assert judged["columns"][HELD_OUT]["found"][32] == 1
    assert not judged["copies"]


def test_columns_are_by_temperature_and_strategy_and_alike_in_length() -> None:
    rows = [*rows_of(["a b c d e f"] * 3, 1.0, "top_k=9"), *rows_of(["g h i j k"] * 3, 0.0, "greedy")]
    judged = judge_samples(rows, "a b c d e", "k j i h g f e d c b a" * 5)
    assert list(judged["columns"]) == ["greedy", "temperature 1 top_k=9", HELD_OUT]
    assert judged["characters"] == 27


def test_without_held_out_text_samples_are_alone() -> None:
    judged = judge_samples(rows_of(["a b c d"]), "a b c d e f", "")
    assert list(judged["columns"]) == ["temperature 1"]
    assert "against" not in judged["verdict"]
