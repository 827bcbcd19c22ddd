"""`quillflow compare`: runs beside one another, on the terminal, as JSON and as a page."""

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from pipelines.commands.main import main
from tests.unit.pipelines.conftest import HISTORY, MakeRun

Capture = pytest.CaptureFixture[str]


def compared(capsys: Capture, root: Path, *names: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["compare", *names, "--root", str(root), "--json"]) == 0
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def shown(capsys: Capture, root: Path, *names: str) -> list[list[str]]:
    """The lines for a person, cut at white space."""
    capsys.readouterr()
    assert main(["compare", *names, "--root", str(root)]) == 0
    return [line.split() for line in capsys.readouterr().out.splitlines()]


def test_settings_that_differ_are_shown_and_no_others(make_run: MakeRun, root: Path, capsys: Capture) -> None:
    make_run("one", train={"epochs": 3, "units": 8}, sample={"temperatures": [0.5]})
    make_run("two", train={"epochs": 4, "units": 8, "new": True}, sample={"temperatures": [0.5, 1.0]})
    assert compared(capsys, root, "one", "two")["settings"] == {
        "train.epochs": [3, 4],
        "train.new": [None, True],
        "sample.temperatures": [[0.5], [0.5, 1.0]],
    }
    lines = shown(capsys, root, "one", "two")
    assert ["train.epochs", "3", "4"] in lines
    assert ["train.new", "-", "true"] in lines
    assert not [line for line in lines if line[:1] == ["train.units"]]


def test_metrics_and_losses_are_in_columns(make_run: MakeRun, root: Path, capsys: Capture) -> None:
    make_run("short", seed=1)
    make_run("long", seed=2)
    lines = shown(capsys, root, "short", "long")
    assert ["A", "short"] in lines
    assert ["validation_loss_nats", "2", "1.333"] in lines
    assert lines.count(["10", "4", "4"]) == 1, "held-out loss at step 10"
    assert ["20", "2", "2"] in lines
    assert ["30", "-", "1.333"] in lines, "training of the first had ended"
    assert ["30", "-", "1"] in lines, "training loss"
    found = compared(capsys, root, "short", "long")
    assert found["metrics"]["validation_loss_nats"] == [2.0, pytest.approx(4 / 3)]
    assert found["history"] == [HISTORY[:2], HISTORY]


def test_samples_of_one_temperature_are_side_by_side(
    make_run: MakeRun, root: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run("one", sample={"temperatures": [0.5, 1.0]})
    make_run("two", sample={"temperatures": [1.0]})
    monkeypatch.setenv("COLUMNS", "100")
    lines = shown(capsys, root, "one", "two")
    together = next(line for line in lines if "A:" in line and "B:" in line)
    assert " ".join(together) == "A: once <i>|one wrote 1 at it B: once <i>|two wrote 0 at it"
    monkeypatch.setenv("COLUMNS", "40")
    assert not [line for line in shown(capsys, root, "one", "two") if "A:" in line and "B:" in line]


def test_what_a_run_took_from_the_cache_is_found_in_the_run_that_made_it(
    make_run: MakeRun, root: Path, capsys: Capture
) -> None:
    make_run("one", train={"epochs": 3})
    make_run("again", made_from="one", without=("corpus", "dataset", "model"), sample={"temperatures": [0.9]})
    found = compared(capsys, root, "one", "again")
    assert found["settings"] == {"sample.temperatures": [None, [0.9]]}
    assert found["runs"][1]["artifacts"]["model"] == str(root / "one" / "train" / "model")
    assert found["history"][1] == HISTORY[:2]


def test_a_run_without_a_model_is_compared_by_its_settings(make_run: MakeRun, root: Path, capsys: Capture) -> None:
    make_run("one", ingest={"lowercase": True})
    make_run("started", ingest={"lowercase": False}, without=("dataset", "model", "samples"))
    found = compared(capsys, root, "one", "started")
    assert found["settings"]["ingest.lowercase"] == [True, False]
    assert found["history"][1] == []
    assert main(["compare", "started", "one", "--root", str(root), "--page", str(root / "page.html")]) == 0


def test_losses_of_different_text_are_not_passed_off_as_comparable(
    make_run: MakeRun, root: Path, capsys: Capture
) -> None:
    make_run("one", train={"epochs": 3})
    make_run("two", train={"epochs": 4})
    assert not [line for line in shown(capsys, root, "one", "two") if "compared." in line]
    metrics = root / "two" / "train" / "model" / "metrics.json"
    metrics.write_text(json.dumps({**json.loads(metrics.read_text()), "held_out": "ab" * 32}))
    page = root / "page.html"
    assert main(["compare", "one", "two", "--root", str(root), "--page", str(page)]) == 0
    caution = "The held-out losses are of different text: they can't be compared."
    out = capsys.readouterr().out
    assert caution in out
    assert ["held_out", "-", "ab" * 8] in [line.split() for line in out.splitlines()], "a digest by its beginning"
    assert "they can&#39;t be compared" in page.read_text()


def test_losses_of_one_text_are_compared_in_bits_per_character_whatever_its_tokens_are(
    make_run: MakeRun, root: Path, capsys: Capture
) -> None:
    make_run("characters")
    # Two characters a token of the held-out text.
    make_run("subwords", counts={"validation_tokens": 50, "validation_characters": 100})
    for run, tokens in (("characters", "aa"), ("subwords", "bb")):
        metrics = root / run / "train" / "model" / "metrics.json"
        held_out = {"held_out": tokens * 32, "held_out_text": "cc" * 32}
        metrics.write_text(json.dumps({**json.loads(metrics.read_text()), **held_out}))
    lines = shown(capsys, root, "characters", "subwords")
    assert not [line for line in lines if "compared." in line]
    title = "Held-out loss in bits per character, the latest at each train step"
    assert title.split() in lines
    nats = HISTORY[0]["validation_loss_nats"]
    bits = [f"{nats * tokens / math.log(2):.4g}" for tokens in (1, 0.5)]
    assert ["10", *bits] in lines


def test_a_long_value_is_shown_by_its_beginning(make_run: MakeRun, root: Path, capsys: Capture) -> None:
    make_run("one", train={"init_from": "file:///" + "a" * 80})
    make_run("two", train={"init_from": ""})
    assert ["train.init_from", "file:///" + "a" * 28, "...", '""'] in shown(capsys, root, "one", "two")


def test_the_page_has_what_the_terminal_shows_and_the_curves(make_run: MakeRun, root: Path, capsys: Capture) -> None:
    make_run("one", train={"epochs": 3})
    make_run("two", train={"epochs": 4})
    page = root / "compared.html"
    assert main(["compare", "one", "two", "--root", str(root), "--page", str(page)]) == 0
    assert f"the page is {page}" in capsys.readouterr().err
    html = page.read_text()
    assert "<td>train.epochs<td>3<td>4" in html
    assert "<td>validation_loss_nats<td>2<td>2" in html
    assert "one wrote 0 at it" in html
    assert "two wrote 0 at it" in html
    assert re.findall("<figcaption>(.*?)<", html) == ["Loss by train step", "Loss by time"]


@pytest.mark.parametrize(
    ("names", "code", "line"),
    [
        (["one"], 2, "error: compare takes two to 26 runs, not 1"),
        (["one", "three"], 1, "error: three: neither an artifact nor a run"),
        (["one", "."], 2, "error: .: contains more than one run"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    make_run: MakeRun,
    root: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
    names: list[str],
    code: int,
    line: str,
) -> None:
    make_run("one", train={"epochs": 3})
    make_run("two", train={"epochs": 4})
    monkeypatch.chdir(root)
    with pytest.raises(SystemExit) as raised:
        main(["compare", *names, "--root", str(root)])
    assert raised.value.code == code
    err = capsys.readouterr().err
    assert err.startswith(line)
    assert err.count("\n") == 1
