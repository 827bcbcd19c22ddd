"""The combinations of settings of a sweep: which there are, and what is refused."""

from typing import Any

import pytest

from components.artifacts.errors import UsageError
from pipelines.inputs.combinations import combinations
from pipelines.inputs.settings import recipe

QUICK = recipe("quick")


def values(name: str, *assignments: str) -> list[Any]:
    stage, _, setting = name.partition(".")
    return [getattr(one.settings[stage], setting) for one in combinations(QUICK, assignments)]


def test_every_value_is_combined_with_every_other_and_the_last_changes_fastest() -> None:
    given = ("train.units=128,256", "train.seed=3", "train.dropout=0.1, 0.3")
    assert values("train.units", *given) == [128, 128, 256, 256]
    assert values("train.dropout", *given) == [0.1, 0.3, 0.1, 0.3]
    assert values("train.seed", *given) == [3, 3, 3, 3]
    assert [one.label for one in combinations(QUICK, given)] == [
        "train.units=128 train.dropout=0.1",
        "train.units=128 train.dropout=0.3",
        "train.units=256 train.dropout=0.1",
        "train.units=256 train.dropout=0.3",
    ]


def test_words_are_alternatives_too() -> None:
    assert values("vectorize.tokens", "vectorize.tokens=characters,words") == ["characters", "words"]


def test_a_comma_belongs_to_a_list_or_a_text() -> None:
    given = ("sample.temperatures=0.2,0.5", "sample.prompts_file=a,b.txt", "train.units=8,16")
    assert values("sample.temperatures", *given) == [(0.2, 0.5)] * 2
    assert values("sample.prompts_file", *given) == ["a,b.txt"] * 2


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("train.units=128", "a sweep needs a setting with several values"),
        ("train.units=8,16,8", "--set train.units=8,16,8: 8 is there twice"),
        ("train.units=8,", "train.units"),
        ("train.unit=8,16", "units"),
        ("trian.units=8,16", "no stage 'trian'"),
        ("train.units", "a sweep needs"),
    ],
)
def test_what_is_no_sweep_is_refused(assignment: str, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        combinations(QUICK, [assignment])
    assert message in str(refused.value)
