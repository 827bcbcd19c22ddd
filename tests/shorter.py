"""What makes `make test` shorter, and leaves nothing out that `make test-slow` does not show."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest


def mostly_slow(values: Iterable[Any], *, quick: int = 1) -> list[Any]:
    """Values of a parameter of which `make test` takes the first ones and `make test-slow` the rest.

    Several parameters of one test go as tuples.
    """
    slow = pytest.mark.slow("shown quickly with another value")
    return [
        value if number < quick else pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=slow)
        for number, value in enumerate(values)
    ]


@contextmanager
def without_page() -> Iterator[None]:
    """Training whose model has an empty page: drawing one takes a third of so short a training."""
    with patch("components.train.model.write_report", lambda path, _: path.write_text("")):
        yield
