"""Runs through Kubeflow's engine, and what they print."""

import io
import json
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from pipelines.commands.main import main

TINY = {
    "vectorize.length": 16,
    "train.units": 16,
    "train.batch": 8,
    "train.epochs": 2,
    "sample.length": 30,
    "sample.count": 2,
}
TEXT = "".join(f"The {n} brown foxes jump over {n * 7 % 11} lazy dogs; they never tire. " for n in range(120))


@pytest.fixture(scope="session")
def run() -> Callable[..., dict[str, Any]]:
    """`quillflow run --json` in this process; the object it prints, with `stderr` beside."""

    def call(*arguments: str) -> dict[str, Any]:
        with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
            assert main(["run", "--json", *arguments]) == 0
        result: dict[str, Any] = json.loads(out.getvalue())
        return {**result, "stderr": err.getvalue()}

    return call


def tiny_at(place: Path) -> list[str]:
    """Arguments of a run that takes seconds, on a text of its own under a root of its own."""
    source = place / "foxes.txt"
    source.write_text(TEXT)
    settings = [f"--set={name}={value}" for name, value in TINY.items()]
    return ["--source", str(source), "--root", str(place / "runs"), *settings]


@pytest.fixture
def tiny(tmp_path: Path) -> list[str]:
    """Arguments of such a run in the test's own place."""
    return tiny_at(tmp_path)
