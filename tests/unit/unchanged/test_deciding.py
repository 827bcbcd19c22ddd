"""A night's text and settings are compared with the champion's: only if all is the same, nothing is trained."""

import copy
import shutil
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.errors import ArtifactError
from components.unchanged import deciding
from components.unchanged.deciding import decide
from tests.unit.ingest.champions import keep_champion
from tests.unit.ingest.ingested import run, write

TEXT = "".join(f"line {number} of a tale\n" for number in range(100))
SETTINGS: dict[str, dict[str, Any]] = {
    "dataset": {"tokens": "characters", "length": 64},
    "model": {"units": 16, "seed": 1},
    "samples": {"count": 2, "shard": 0, "shards": 1},
}


@pytest.fixture
def champion(tmp_path: Path) -> Path:
    return keep_champion(tmp_path / "runs", TEXT, settings=SETTINGS)


def night(root: Path, text: str, **values: Any) -> str:
    """The corpus of a later run, from the same source."""
    corpus = root / "two" / "ingest" / "corpus"
    run(write(root / "text.txt", text), corpus, **values)
    return str(corpus)


def test_the_same_text_with_the_same_settings_is_skipped(champion: Path) -> None:
    done = decide(night(champion.parent, TEXT), str(champion), SETTINGS, "skip")
    assert done.action == "skip"
    model = champion.parent / "one" / "train" / "model"
    assert (
        done.as_line() == f"Nothing is trained: the champion {model} was made from the same text with the same settings"
    )


def test_numbers_that_passed_through_kubeflow_and_shards_make_no_difference(champion: Path) -> None:
    there = copy.deepcopy(SETTINGS)
    there["model"]["units"], there["samples"]["shards"] = 16.0, 4.0
    assert decide(night(champion.parent, TEXT), str(champion), there, "skip").action == "skip"


def test_a_text_that_grew_is_trained_on(champion: Path) -> None:
    done = decide(night(champion.parent, TEXT + "."), str(champion), SETTINGS, "skip")
    assert done == ("train", "the text, its settings or their version changed")
    done = decide(night(champion.parent, TEXT, lowercase=True), str(champion), SETTINGS, "skip")
    assert done.action == "train"


@pytest.mark.parametrize(
    ("kind", "name", "reason"),
    [
        ("dataset", "length", "vectorize.length changed"),
        ("model", "seed", "train.seed changed"),
        ("model", "a new one", "train.a new one changed"),
        ("samples", "count", "sample.count changed"),
    ],
)
def test_another_setting_of_any_stage_is_named(champion: Path, kind: str, name: str, reason: str) -> None:
    settings = {**SETTINGS, kind: {**SETTINGS[kind], name: 3}}
    assert decide(night(champion.parent, TEXT), str(champion), settings, "skip") == ("train", reason)


def test_another_version_of_the_suite_trains_again(champion: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "VERSION", "9.0.0")
    done = decide(night(champion.parent, TEXT), str(champion), SETTINGS, "skip")
    assert (done.action, done.reason.endswith("this is 9.0.0")) == ("train", True)


@pytest.mark.parametrize("gone", ["vectorize/dataset", "train/model", "sample/samples"])
def test_a_champion_of_which_a_part_is_gone_is_taken_for_changed(champion: Path, gone: str) -> None:
    corpus = night(champion.parent, TEXT)
    shutil.rmtree(champion.parent / "one" / gone)
    done = decide(corpus, str(champion), SETTINGS, "skip")
    assert (done.action, "can't be found" in done.reason) == ("train", True)


def test_without_a_champion_and_where_it_is_not_asked_for_a_run_trains(champion: Path) -> None:
    corpus = night(champion.parent, TEXT)
    assert decide(corpus, str(champion), SETTINGS, "train") == ("train", "on_unchanged is not skip")
    champion.unlink()
    assert decide(corpus, str(champion), SETTINGS, "skip") == ("train", "there is no champion yet")


def test_a_corpus_that_is_missing_is_an_error(champion: Path) -> None:
    with pytest.raises(ArtifactError, match=r"no manifest\.json"):
        decide(str(champion.parent / "nowhere"), str(champion), SETTINGS, "skip")
