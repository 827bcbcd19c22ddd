"""A champion with what it was made from: what comparisons with a champion read, but no network."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.artifacts.champion import Champion
from components.artifacts.manifest import digest, write_manifest
from tests.unit.ingest.ingested import run, write


def keep_champion(
    root: Path,
    text: str,
    *,
    layout: str = "{run}/{task}/{kind}",
    corpus_in: str = "one",
    settings: Mapping[str, Mapping[str, Any]] = {},
) -> Path:
    """A champion that was trained on a text, with settings by what they make; the pointer to it."""

    def place(run: str, task: str, kind: str) -> Path:
        return root / layout.format(run=run, task=task, kind=kind)

    def made(kind: str, stage: str, made_from: dict[str, str]) -> Path:
        directory = place("one", stage, kind)
        directory.mkdir(parents=True)
        (directory / "data").write_text(kind)
        config = settings.get(kind, {})
        write_manifest(directory, kind=kind, stage=stage, config=config, counts={}, made_from=made_from)
        return directory

    corpus = place(corpus_in, "ingest", "corpus")
    root.mkdir(parents=True, exist_ok=True)
    run(write(root / "text.txt", text), corpus)
    dataset = made("dataset", "vectorize", {"corpus": digest(corpus)})
    model = made("model", "train", {"dataset": digest(dataset)})
    made("samples", "sample", {"model": digest(model)})
    values = {"loss": 1.0, "protocol": "carry", "held_out": "a", "run": "one", "promoted": "2026-11-22T00:00:00+00:00"}
    champion = Champion(model=str(model), digest=digest(model), **values)  # type: ignore[arg-type]
    return write(root / "champion", json.dumps(champion.model_dump()))
