import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli import main

TINY = {
    "vectorize.length": 16,
    "train.units": 16,
    "train.batch": 8,
    "train.epochs": 2,
    "sample.length": 30,
    "sample.count": 2,
}
TEXT = "".join(f"The {n} brown foxes jump over {n * 7 % 11} lazy dogs; they never tire. " for n in range(120))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """`quillflow run --json` in this process; the object it prints, with `stderr` beside."""

    def call(*arguments: str) -> dict[str, Any]:
        capsys.readouterr()
        assert main(["run", "--json", *arguments]) == 0
        out, err = capsys.readouterr()
        result: dict[str, Any] = json.loads(out)
        return {**result, "stderr": err}

    return call


@pytest.fixture
def tiny(tmp_path: Path) -> list[str]:
    """Arguments of a run that takes seconds, on a text of its own under a root of its own."""
    source = tmp_path / "foxes.txt"
    source.write_text(TEXT)
    settings = [f"--set={name}={value}" for name, value in TINY.items()]
    return ["--source", str(source), "--root", str(tmp_path / "runs"), *settings]
