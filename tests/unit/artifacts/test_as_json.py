"""JSON is written so that it is read back the same, and never with NaN or Infinity."""

import json
from typing import Any

import pytest

from components.artifacts.as_json import as_json
from components.artifacts.errors import ArtifactError

INFINITE, NOT = float("inf"), float("nan")


def test_what_is_written_is_read_as_it_was() -> None:
    values = {"b": [1, 2.5, None, True], "a": {"text": "\u00e9\u2028"}}
    assert json.loads(as_json(values)) == json.loads(as_json(values, indent=2, ensure_ascii=False)) == values
    assert as_json({"b": 1, "a": 2}, sort_keys=True) == '{"a": 2, "b": 1}'


@pytest.mark.parametrize(
    ("values", "place"),
    [
        (NOT, "a value (nan)"),
        ({"loss": 1.0, "bits": -INFINITE}, "bits (-inf)"),
        ({"runs": [{"loss": 1.0}, {"loss": (2.0, NOT)}]}, "runs.1.loss.1 (nan)"),
    ],
)
def test_a_number_that_is_not_finite_is_refused_by_its_place(values: Any, place: str) -> None:
    with pytest.raises(ArtifactError) as refused:
        as_json(values)
    assert str(refused.value) == f"{place} is not a finite number, so nothing that holds it is written"


def test_what_json_has_no_form_for_is_an_error_of_its_own() -> None:
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises((ValueError, RecursionError)):
        as_json(circle)
