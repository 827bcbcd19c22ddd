"""The notebook's cells run in order, as in a kernel, and what they show is what it says."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import ROOT

CELLS = json.loads((ROOT / "docs" / "quillflow.ipynb").read_text())["cells"]
CODE = ["".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "code"]


def shown_by(cell: str, names: dict[str, Any]) -> Any:
    """Run a cell; the value of its last line, which a notebook shows, if that is an expression."""
    *before, last = ast.parse(cell).body
    if not isinstance(last, ast.Expr):
        exec(cell, names)
        return None
    exec(compile(ast.Module(before, []), "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)


def test_no_outputs_are_kept() -> None:
    assert [cell["outputs"] for cell in CELLS if cell.get("outputs")] == []


@pytest.mark.slow("two runs of the pipeline")
def test_the_cells_run_and_show_a_report_a_model_and_two_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    shown = [shown_by(cell, names) for cell in CODE]
    report = (tmp_path / "runs" / names["done"].name / "report" / "report" / "report.html").read_text()
    assert names["done"] in shown
    assert names["done"]._repr_html_().startswith('<iframe srcdoc="&lt;!doctype html')
    assert len(names["done"]._repr_html_()) > len(report) > 10_000
    assert repr(names["model"]).startswith("<")
    assert [len(text) > 0 for text in names["texts"]] == [True, True, True]
    assert names["plain"].stages["vectorize"] == "cached"
    assert list(shown[-2].columns) == ["done", "plain"]
    assert shown[-2].loc["train.ngrams"].tolist()[1] == 1
    assert shown[-1].shape[1] == 2
