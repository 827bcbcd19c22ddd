"""Text held out: what is scored of it, and what is refused where there is none."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from components.artifacts.dataset import Dataset
from components.artifacts.errors import UsageError
from components.command import log
from tests.unit.train.trained import Run, json_in


def test_choosing_by_a_held_out_loss_that_is_not_there_is_refused(run: Run, dataset_of: Callable[..., Path]) -> None:
    with pytest.raises(UsageError, match=r"^train\.best_by=validation_loss has an effect only if text is held out; "):
        run(of=dataset_of(held_out=0), best_by="validation_loss")


def test_so_is_a_part_of_the_held_out_text_where_there_is_none(run: Run, dataset_of: Callable[..., Path]) -> None:
    with pytest.raises(UsageError, match=r"^train\.evaluate_tokens has an effect only if text is held out; "):
        run(of=dataset_of(held_out=0), evaluate_tokens=64)


def test_of_long_held_out_text_a_part_is_scored_and_said_to_be(
    run: Run, data: Dataset, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(log.FORMAT_VARIABLE, "json")
    log.set_up("train")
    model = run(page=True, epochs=1, evaluate_tokens=64)
    metrics = json_in(model / "metrics.json")
    assert (metrics["validation_tokens_scored"], metrics["validation_tokens"]) == (63, 100)  # nothing predicts token 0
    assert metrics["held_out"] == data.held_out_name(64) != data.held_out_name(0)
    card = re.sub(r"\s", " ", (model / "README.md").read_text(encoding="utf-8"))
    assert "trained on 400 tokens, with 100 held out, of which 63 were scored, and" in card
    page = (model / "report.html").read_text(encoding="utf-8")
    assert re.search(r"63.{,99}tokens scored, of 100 held out", page, re.DOTALL)
    reported = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    progress = [entry["message"] for entry in reported if entry["severity"] == "DEBUG"]
    assert any(re.fullmatch(r"held-out text: 63/63 tokens scored  \d+:\d\d left", line) for line in progress)
    with pytest.raises(UsageError, match=r"train\.evaluate_tokens was 64 there, now it is 0"):
        run(epochs=2, evaluate_tokens=0)
