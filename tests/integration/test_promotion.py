"""Runs in an environment that keeps a champion: each moves it to its model, if that is better, and says so."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.champion import read
from pipelines.commands.main import main

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def in_environment(tmp_path: Path) -> Callable[[str], str]:
    """The flag for an environment that keeps its champion at a place."""

    def write(champion: str) -> str:
        path = tmp_path / "box.yaml"
        path.write_text(f"cluster: {{champion: '{champion}'}}\n")
        return f"--environment={path}"

    return write


def said(done: dict[str, Any]) -> str:
    """What the run's promotion logged."""
    found = re.search(r"^promote +(Champion .*)$", done["stderr"], re.MULTILINE)
    assert found is not None, done["stderr"]
    return found[1]


@pytest.mark.slow("four runs of the pipeline")
def test_every_run_promotes_a_better_model_of_whatever_text(
    run: Run, tiny: list[str], in_environment: Callable[[str], str], tmp_path: Path
) -> None:
    pointer = str(tmp_path / "runs" / "champion")
    flag = in_environment(pointer)
    short = [argument.replace("train.epochs=2", "train.train_steps=1") for argument in tiny]
    first = run(*short, flag)
    assert set(first["stages"].values()) == {"executed"}
    assert said(first) == f"Champion is now {first['artifacts']['model']}: it is the first"
    assert (read(pointer).model, read(pointer).run) == (first["artifacts"]["model"], first["run"])

    # A later night's text: another one is held out, and has characters that the champion does not know.
    source = Path(tiny[1])
    source.write_text(source.read_text() + "Ümläuts jump over the lazy dogs; they never tire. " * 20)
    second = run(*tiny, flag)
    is_now = rf"Champion is now {re.escape(second['artifacts']['model'])}: on its held-out text it takes (\S+) bits.*"
    reported = re.fullmatch(is_now, said(second))
    assert reported is not None, said(second)
    assert float(reported[1]) == pytest.approx(second["metrics"]["validation_bits_per_char"], abs=1e-4)

    # The cache answers for all else, and never for a promotion.
    again = run(*tiny, flag)
    assert {stage for stage, how in again["stages"].items() if how == "executed"} == {"promote"}
    assert said(again) == f"Champion stays {second['artifacts']['model']}: it is the champion already"

    # What others read is not pointed at this machine's disk.
    elsewhere = run(*tiny, in_environment("gs://lab/champion"))
    assert "promote" not in elsewhere["stages"]
    assert "Nothing is promoted: gs://lab/champion can't point at models on this machine" in elsewhere["stderr"]


def test_without_held_out_text_no_run_begins(
    tiny: list[str], in_environment: Callable[[str], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", *tiny, in_environment(str(tmp_path / "runs" / "champion")), "--set=vectorize.held_out=0"])
    assert ended.value.code == 2
    assert "vectorize.held_out: the environment box has a champion" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
