"""Every tutorial recipe runs whole, from its kind of corpus to samples; tests/unit/pipelines holds its facts."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.manifest import read_manifest

Run = Callable[..., dict[str, Any]]
CORPORA = Path(__file__).parents[3] / "shared" / "corpora"
KEPT, DROPPED = "55a7c9e08a7b72f55c3f991e", "55b977f00fc9f982beab7883"
# The cut and the data are each recipe's own; the network is shrunk, and the epochs, to take seconds.
SHRUNK = ["--set=train.units=16", "--set=train.train_steps=3", "--set=sample.length=20"]


def texts(samples: str) -> list[dict[str, Any]]:
    paths = sorted(Path(samples).glob("samples-*.jsonl"))
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


@pytest.fixture
def prose(tmp_path: Path) -> Path:
    path = tmp_path / "prose.txt"
    path.write_text("".join(f"Chapter {n}. Winter is coming, said he; and {n} ravens flew. " for n in range(60)))
    return path


@pytest.mark.slow("each is a whole run of the pipeline")
@pytest.mark.parametrize(
    ("recipe", "temperatures"),
    [
        ("nietzsche", [0.2, 0.5, 1.0, 1.2]),
        ("words", [0.2, 0.5, 1.0, 1.2]),
        ("sonnets", [0]),
        ("game-of-thrones", [0]),
    ],
)
def test_a_recipe_runs_whole(recipe: str, temperatures: list[float], run: Run, prose: Path, tmp_path: Path) -> None:
    made = run("--recipe", recipe, "--source", str(prose), "--root", str(tmp_path / "runs"), *SHRUNK)
    assert [row["temperature"] for row in texts(made["artifacts"]["samples"])] == temperatures
    assert made["metrics"]["validation_loss_nats"] is None
    assert made["metrics"]["train_loss_nats"] > 0
    corpus = (Path(made["artifacts"]["corpus"]) / "text.txt").read_text()
    assert corpus == prose.read_text().lower()


@pytest.mark.slow("a whole run of the pipeline")
def test_the_gitter_chat_recipe_runs_whole(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "chat.csv"
    with source.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "fromUser.id", "text"])
        for n in range(200):
            rows.writerow([n, (KEPT, DROPPED, "somebody")[n % 3], f"Hello campers, message {n}, with, commas"])
    made = run("--recipe", "gitter-chat", "--source", str(source), "--root", str(tmp_path / "runs"), *SHRUNK)
    kept = [f"hello campers, message {n}, with, commas" for n in range(0, 200, 3)]
    corpus = (Path(made["artifacts"]["corpus"]) / "text.txt").read_text()
    assert corpus == " ".join(kept[: int(0.2 * len(kept))])
    history = [
        json.loads(line) for line in (Path(made["artifacts"]["model"]) / "history.jsonl").read_text().splitlines()
    ]
    assert [sample["temperature"] for sample in history[0]["samples"]] == [0.2, 0.5, 1.0, 1.2]


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the real corpora (shared/corpora) are not here")
@pytest.mark.parametrize(
    ("recipe", "corpus", "characters", "distinct", "windows"),
    [
        ("nietzsche", "nietzsche.txt", 600_885, 57, 200_275),
        ("sonnets", "sonnets.txt", 94_212, None, 94_112),
    ],
)
def test_a_recipe_cuts_the_real_corpus_as_the_tutorial_does(
    recipe: str, corpus: str, characters: int, distinct: int | None, windows: int, tmp_path: Path
) -> None:
    from components.ingest.ingesting import ingest
    from components.vectorize.vectorizing import vectorize
    from pipelines.inputs.settings import recipe as named
    from pipelines.inputs.settings import settings_of

    settings = settings_of(named(recipe), [])
    ingest(settings["ingest"], source=str(CORPORA / corpus), corpus=str(tmp_path / "corpus"))  # type: ignore[arg-type]
    vectorize(settings["vectorize"], corpus=str(tmp_path / "corpus"), dataset=str(tmp_path / "dataset"))  # type: ignore[arg-type]
    counts = read_manifest(tmp_path / "dataset").counts
    assert counts["tokens"] == characters
    assert counts["train_windows"] == windows
    assert distinct is None or counts["vocabulary"] == distinct
