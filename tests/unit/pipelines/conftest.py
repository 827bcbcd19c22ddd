"""Runs as training would leave them, made by hand in a moment: no TensorFlow is needed to read them."""

import io
import json
import os
import zipfile
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from components.artifacts.manifest import digest, write_manifest
from components.artifacts.vocabulary import Vocabulary
from components.generator.architecture import Architecture
from components.generator.files import weights_sha256, write_json

VOCABULARY = Vocabulary(kind="characters", tokens=tuple("\n abcdefghijklmnopqrstuvwxyz"))
ARCHITECTURE = Architecture(
    vocabulary=len(VOCABULARY),
    layers=1,
    units=8,
    input="one_hot",
    embedding_size=1,
    objective="sequence",
    dropout=0.0,
    dropout_placement="after_each",
)
HISTORY: list[dict[str, Any]] = [
    {
        "epoch": epoch,
        "train_step": 10 * epoch,
        "train_loss_nats": 3 / epoch,
        "validation_loss_nats": 4 / epoch,
        "seconds": 20.0 * epoch,
        "curve": [{"train_step": 10 * epoch, "train_loss_nats": 3 / epoch, "seconds": 19.0 * epoch}],
    }
    for epoch in (1, 2, 3)
]
COUNTS = {f"{split}_{unit}": 100 for split in ("train", "validation") for unit in ("tokens", "characters")}
MakeRun = Callable[..., Path]


@pytest.fixture(autouse=True)
def plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QUILLFLOW_LOG", raising=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def make_run(root: Path) -> MakeRun:
    """Makes a run below `root`, newer than those before: `settings` are by stage; `without` names what it lacks."""
    ages = count()

    def make(
        name: str, *, seed: int = 1, without: tuple[str, ...] = (), made_from: str = "", **settings: Mapping[str, Any]
    ) -> Path:
        above = {"source": "f" * 64}
        if made_from:
            above = {"model": digest(root / made_from / "train" / "model")}
        for kind, stage in (("corpus", "ingest"), ("dataset", "vectorize"), ("model", "train"), ("samples", "sample")):
            directory = root / name / stage / kind
            if kind in without:
                continue
            directory.mkdir(parents=True)
            if kind == "model":
                write_model(directory, seed)
            elif kind != "samples":
                (directory / "some").write_text(name)
            if kind == "samples":
                write_samples(directory, settings.get("sample", {}).get("temperatures", [0.5]), name)
            config = {"seed": seed, **settings.get(stage, {})}
            counts = {**COUNTS, **settings.get("counts", {})} if kind == "dataset" else {}
            write_manifest(directory, kind=kind, stage=stage, config=config, counts=counts, made_from=above)
            os.utime(directory / "manifest.json", (1e9 + next(ages),) * 2)
            above = {kind: digest(directory)}
        return root / name

    return make


def write_model(directory: Path, seed: int) -> None:
    """A model artifact's files without its manifest; the network's weights are random."""
    rng = np.random.default_rng(seed)
    shapes = ARCHITECTURE.weight_shapes
    weights = {
        name: [rng.normal(0, 1, shape).astype(np.float32) for shape in shapes[name]] for name in ("lstm_1", "logits")
    }
    sha256 = weights_sha256(array for arrays in weights.values() for array in arrays)
    config = {"architecture": ARCHITECTURE.as_dict(), "context": "carry", "window": 8, "weights_sha256": sha256}
    write_json(directory / "config.json", config)
    VOCABULARY.write(directory)
    layers = [("InputLayer", "ids"), ("LSTM", "lstm_1"), ("Dense", "logits")]
    network = {"layers": [{"class_name": kind, "config": {"name": name}} for kind, name in layers]}
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for path, holder, name in (("lstm", "lstm/cell", "lstm_1"), ("dense", "dense", "logits")):
            file.require_group(f"layers/{path}/vars").attrs["name"] = name
            for number, array in enumerate(weights[name]):
                file[f"layers/{holder}/vars/{number}"] = array
    with zipfile.ZipFile(directory / "model.keras", "w") as archive:
        archive.writestr("config.json", json.dumps({"class_name": "Functional", "config": network}))
        archive.writestr("model.weights.h5", buffer.getvalue())
    rows = HISTORY[: seed + 1]
    (directory / "history.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    write_json(directory / "metrics.json", {"validation_loss_nats": rows[-1]["validation_loss_nats"], "device": "CPU"})


def write_samples(directory: Path, temperatures: list[float], name: str) -> None:
    rows = [
        {"id": number, "prompt": "once <i>", "temperature": temperature, "text": f"{name} wrote {number} at it"}
        for number, temperature in enumerate(temperatures)
    ]
    (directory / "samples-00000-of-00001.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
