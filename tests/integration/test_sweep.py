"""`quillflow sweep` here: real runs that share what they can, ranked, on a page, and failures that are named."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from pipelines.commands.main import main

pytestmark = pytest.mark.slow("runs of the pipeline")


def swept(*arguments: str) -> tuple[int, str, str]:
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        try:
            code = main(["sweep", *arguments])
        except SystemExit as ended:
            code = int(ended.code or 0)
    return code, out.getvalue(), err.getvalue()


def test_runs_are_ranked_share_the_cache_and_one_that_fails_is_named(tiny: list[str], tmp_path: Path) -> None:
    page = tmp_path / "sweep.html"
    tiny = [argument for argument in tiny if "train.units" not in argument]
    sweep = ["--set", "train.units=4,16", "--set", "vectorize.held_out=0.1,0.99", "--page", str(page)]
    code, out, err = swept(*tiny, *sweep, "--json")
    assert code == 1
    assert "error: 2 of the runs failed: train.units=4 vectorize.held_out=0.99; train.units=16" in err
    found = json.loads(out)
    labels = [f"train.units={units} vectorize.held_out=0.1" for units in (4, 16)]
    assert sorted(found["made"].values()) == sorted(labels)
    assert {run["name"] for run in found["runs"]} == set(found["made"])
    bits = found["metrics"]["validation_bits_per_char"]
    assert bits == sorted(bits)
    assert err.count("ingest     cached") == 3
    assert all(run["name"] in page.read_text() for run in found["runs"])
