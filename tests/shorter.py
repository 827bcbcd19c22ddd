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
def without_page(writer: str = "components.train.model") -> Iterator[None]:
    """An artifact with an empty page: drawing one takes a third of so short a training, and most of ingest."""
    with patch(f"{writer}.write_report", lambda path, *_: path.write_text("")):
        yield


@contextmanager
def one_chain() -> Iterator[None]:
    """A batch computed in one piece: its graph is traced in half the time, and two chains train as one."""
    with patch("components.train.trainer.CHAINS_ON_CPU", 1), patch("components.generator.scoring.CHAINS_ON_CPU", 1):
        yield
