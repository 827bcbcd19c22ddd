"""The model that training writes is a whole artifact, whose metrics, card and prompts are true."""

import hashlib
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from components.artifacts.dataset import Dataset
from components.artifacts.manifest import digest, verify
from components.generator.model import Model
from components.generator.network import parameters
from tests.unit.train.trained import Run, held_out_loss, json_in


def test_the_model_is_a_whole_artifact(finished: Path, dataset: Path) -> None:
    manifest = verify(finished, "model")
    assert set(manifest.files) == {
        "model.keras",
        "vocabulary.json",
        "config.json",
        "metrics.json",
        "prompts.json",
        "history.jsonl",
        "README.md",
        "report.html",
        "tensorboard/training/events.out.tfevents.0.quillflow",
        "tensorboard/held_out/events.out.tfevents.0.quillflow",
    }
    assert manifest.made_from == {"dataset": digest(dataset)}
    assert manifest.counts == {"parameters": parameters(Model.read(finished).network), "steps": 36, "train_steps": 36}


def test_metrics_belong_together(finished: Path, data: Dataset) -> None:
    metrics = json_in(finished / "metrics.json")
    assert (metrics["steps"], metrics["epochs"], metrics["validation_protocol"]) == (36, 3.0, "carry")
    assert metrics["validation_bits_per_char"] == pytest.approx(metrics["validation_loss_nats"] / math.log(2))
    assert metrics["perplexity"] == pytest.approx(math.exp(metrics["validation_loss_nats"]))
    assert metrics["held_out"] == data.held_out_name(0)
    text = "".join(data.vocabulary.tokens[token] for token in data.validation)
    assert metrics["held_out_text"] == hashlib.sha256(text.encode()).hexdigest()
    assert metrics["train_loss_nats"] < math.log(12)
    assert metrics["tokens_per_second"] > 0
    assert metrics["wall_seconds"] > 0
    assert metrics["device"]


def test_bits_are_counted_by_character_where_tokens_are_words(run: Run, dataset_of: Callable[..., Path]) -> None:
    words = dataset_of(tokens="words", length=4)
    metrics, counts = json_in(run(of=words, epochs=1) / "metrics.json"), verify(words).counts
    assert counts["validation_characters"] > 3 * counts["validation_tokens"]
    nats = metrics["validation_loss_nats"] * counts["validation_tokens"] / counts["validation_characters"]
    assert metrics["validation_bits_per_char"] == pytest.approx(nats / math.log(2))


def test_nothing_held_out_leaves_the_training_loss(run: Run, dataset_of: Callable[..., Path]) -> None:
    model = run(of=dataset_of(held_out=0), epochs=1)
    metrics = json_in(model / "metrics.json")
    assert metrics["validation_loss_nats"] is metrics["validation_bits_per_char"] is None
    assert metrics["perplexity"] == pytest.approx(math.exp(metrics["train_loss_nats"]))


def test_the_card_says_what_the_model_is(finished: Path, dataset: Path) -> None:
    card, metrics = (finished / "README.md").read_text(encoding="utf-8"), json_in(finished / "metrics.json")
    loss = f"| validation_loss_nats | {metrics['validation_loss_nats']:.6g} |"
    said = [loss, "12 characters", "400 tokens, with 100 held out", "lstm_1", '"units": 8', digest(dataset)]
    assert [words for words in said if words not in card] == []
    assert "state carried through the text" in card


def test_prompts_are_windows_of_the_training_text_without_the_words_they_cut(finished: Path, text: str) -> None:
    windows = [text[start : start + 8] for start in range(393)]
    prompts = json_in(finished / "prompts.json")
    assert len(prompts) == len(windows)
    assert all(prompt in window for prompt, window in zip(prompts, windows, strict=True))
    cut = [prompt for prompt, window in zip(prompts, windows, strict=True) if prompt != window]
    assert cut
    assert all(f" {prompt}" in text and prompt.endswith(" ") for prompt in cut)


def test_the_written_network_has_the_loss_that_its_metrics_say(finished: Path, dataset: Path) -> None:
    expected = json_in(finished / "metrics.json")["validation_loss_nats"]
    assert held_out_loss(finished, dataset) == pytest.approx(expected, abs=1e-5)


def test_windows_are_written_with_where_windows_were_trained(run: Run) -> None:
    model = Model.read(run(epochs=1, objective="next", batch=64))
    assert (model.context, model.window) == ("window", 8)
