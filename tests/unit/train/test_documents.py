"""Training on documents: what is held out, what the loss counts, and what is written while it trains."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from components.artifacts.dataset import Dataset
from components.artifacts.manifest import read_manifest, write_manifest
from components.generator.model import Model
from components.vectorize.config import VectorizeConfig
from components.vectorize.vectorizing import vectorize
from tests.unit.train.conftest import WORDS
from tests.unit.train.trained import held_out_loss, history, json_in


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of 210 short documents, a fifth of them held out."""
    place = tmp_path_factory.mktemp("documents")
    corpus = place / "corpus"
    corpus.mkdir()
    texts = [f"{WORDS[number % 7]} {WORDS[number // 7 % 7]}" for number in range(210)]
    (corpus / "text.txt").write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    (corpus / "documents.txt").write_text("".join(f"{len(text)}\n" for text in texts))
    write_manifest(corpus, kind="corpus", stage="ingest", config={"lowercase": False}, counts={}, made_from={})
    settings = VectorizeConfig(length=8, held_out=0.2)
    vectorize(settings, corpus=str(corpus), dataset=str(place / "dataset"))
    return place / "dataset"


@pytest.fixture(scope="module")
def trained(documents: Path, run_in: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    samples = {"sample_at": (2,), "sample_length": 50, "sample_temperatures": (0, 1.0)}
    place = tmp_path_factory.mktemp("trained")
    return run_in(place, of=documents, page=True, epochs=2, learning_rate=0.03, units=16, **samples)


def test_the_held_out_text_begins_with_a_document(documents: Path) -> None:
    data = Dataset.read(documents)
    assert data.train[-1] == data.validation[-1] == data.vocabulary.end_id
    assert int((data.validation == 0).sum()) == read_manifest(documents).counts["validation_documents"]


def test_an_end_counts_as_a_token_and_as_the_newline_that_text_txt_has_there(trained: Path, documents: Path) -> None:
    metrics, counts = json_in(trained / "metrics.json"), read_manifest(documents).counts
    assert counts["validation_tokens"] == counts["validation_characters"]
    nats = metrics["validation_loss_nats"]
    assert nats == pytest.approx(held_out_loss(trained, documents), abs=1e-4)
    assert metrics["validation_bits_per_char"] == pytest.approx(nats / math.log(2))


def test_the_model_begins_documents_and_says_so(trained: Path) -> None:
    model = Model.read(trained)
    assert (model.vocabulary.has_end, list(model.prompts)) == (True, [])
    assert model.description.endswith(", reading all text before a token, writing documents")
    assert (trained / "README.md").read_text().count("Writes whole documents token by token") == 1


def test_what_is_written_while_it_trains_is_a_document(trained: Path) -> None:
    samples = history(trained)[-1]["samples"]
    assert [sample["prompt"] for sample in samples] == ["", ""]
    assert all(0 < len(sample["text"]) < 50 for sample in samples)
