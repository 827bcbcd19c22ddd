"""Benchmarks hold figures to their targets and report each miss."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from tests.benchmarks import __main__ as everything
from tests.benchmarks import corpora, suite
from tests.benchmarks.measure import Figure, budget

FIGURE = "Figure(what='{what}', measured={measured}, unit='x', target=2, better='{better}')"

Make = Callable[[str, str], str]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Makes a benchmark module of some code for `figures`, and names it."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def make(name: str, code: str) -> str:
        source = f"from tests.benchmarks.measure import Figure\ndef figures(budget):\n    {code}\n"
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
        return name

    return make


@pytest.mark.parametrize(
    ("measured", "better", "is_met"),
    [(2, "higher", True), (1.9, "higher", False), (2, "lower", True), (2.1, "lower", False)],
)
def test_a_figure_is_held_to_its_target(measured: float, better: Literal["higher", "lower"], is_met: bool) -> None:
    assert Figure(what="", measured=measured, unit="", target=2, better=better).is_met is is_met


def test_a_figure_without_a_target_only_informs() -> None:
    figure = Figure(what="speed", measured=1234.5, unit="x/s")
    assert figure.is_met
    assert suite.line(figure).split() == ["speed", "1,234", "x/s"]


def test_the_budget_is_full_unless_it_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BUDGET", raising=False)
    assert budget() == "full"
    monkeypatch.setenv("BUDGET", "short")
    assert budget() == "short"
    monkeypatch.setenv("BUDGET", "tiny")
    with pytest.raises(SystemExit, match="BUDGET=tiny"):
        budget()


def test_figures_that_are_met_are_reported_and_kept(
    module: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = module("good", "print('noise'); return [" + FIGURE.format(what=r"speed", measured=3, better="higher") + "]")
    assert suite.run([good], "short", tmp_path / "build" / "bench.json") == 0
    output = capsys.readouterr().out
    assert "speed" in output
    assert "met" in output
    assert "noise" not in output
    report = json.loads((tmp_path / "build" / "bench.json").read_bytes())
    assert [(row["what"], row["is_met"]) for row in report["figures"]] == [("speed", True)]
    assert report["machine"]["budget"] == "short"
    assert 0 < report["seconds"]["good"] < 60
    assert f"{report['seconds']['good']:.0f} s: good" in output


def test_a_miss_is_named_and_the_rest_still_runs(
    module: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slow = module("slow", "return [" + FIGURE.format(what="pace", measured=1, better="higher") + "]")
    good = module("good", "return [" + FIGURE.format(what="share", measured=1, better="lower") + "]")
    assert suite.run([slow, good], "full", tmp_path / "bench.json") == 1
    output = capsys.readouterr().out
    assert "MISSED" in output
    assert "missed: pace" in output
    assert "share" in output
    assert json.loads((tmp_path / "bench.json").read_bytes())["failures"] == ["missed: pace"]


@pytest.mark.parametrize("code", ["raise RuntimeError('broken')", "import os; os._exit(0)", "return []"])
def test_a_module_without_figures_is_a_failure(
    module: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str], code: str
) -> None:
    name = module("crash", code)
    assert suite.run([name], "short", tmp_path / "bench.json") == 1
    output = capsys.readouterr().out
    assert "crash FAILED" in output
    assert ("broken" in output) == ("broken" in code)


def test_a_missing_module_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert suite.run(["tests.benchmarks.nonesuch"], "short", tmp_path / "bench.json") == 1
    assert "nonesuch" in capsys.readouterr().out


def test_all_modules_exist_and_only_those_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(everything.__file__).parent
    assert [name for name in everything.MODULES if not (folder / f"{name}.py").is_file()] == []
    monkeypatch.setenv("ONLY", "fidelty")
    with pytest.raises(SystemExit, match="fidelty"):
        everything.main()


def test_corpora_are_looked_for_where_the_variable_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(corpora.VARIABLE, str(tmp_path))
    with pytest.raises(SystemExit, match=corpora.VARIABLE):
        corpora.corpus("tale.txt")
    (tmp_path / "tale.txt").touch()
    assert corpora.corpus("tale.txt") == tmp_path / "tale.txt"


def test_the_last_tenth_is_held_out() -> None:
    assert corpora.split("0123456789" * 2) == ("012345678901234567", "89")
