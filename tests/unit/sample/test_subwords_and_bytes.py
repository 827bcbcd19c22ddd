"""Prompts, what a text must not contain, and what ends it, go by characters, whether tokens are subwords or bytes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.artifacts import utf8
from components.artifacts.errors import UsageError
from components.artifacts.manifest import write_manifest
from components.artifacts.subwords import learned
from components.artifacts.vocabulary import Vocabulary
from components.generator.light.generator import TextGenerator, Writing
from components.generator.model import Model
from components.sample import sampling
from tests.unit.sample.sampled import Write

TEXT = "Grün war der Wald, grüner war der Baum. " * 5
MERGES = learned([TEXT], sorted(set(TEXT)), 40)
VOCABULARIES = {
    "bpe": Vocabulary(
        kind="bpe", tokens=tuple(sorted({*TEXT, *(one + other for one, other in MERGES)})), merges=MERGES
    ),
    # Few of all bytes, so that an untrained network often writes whole characters.
    "bytes": Vocabulary(kind="bytes", tokens=tuple(sorted(set(utf8.as_bytes("ab éèü€"))))),
}
KINDS = pytest.mark.parametrize("kind", VOCABULARIES)
MakeModel = Callable[..., Path]


@pytest.fixture(scope="module")
def models(model_of: MakeModel) -> dict[str, Path]:
    """Models of untrained networks, by the kind of their tokens."""
    return {kind: model_of(vocabulary=each, prompts=["ab é"]) for kind, each in VOCABULARIES.items()}


def prompt_of(kind: str) -> str:
    return "der Wal" if kind == "bpe" else "aé"


@KINDS
def test_a_text_is_what_its_tokens_make_together(kind: str, models: dict[str, Path], write: Write) -> None:
    rows = write(source=models[kind], prompts=(prompt_of(kind),), count=3, temperatures=(1,), length=40)
    assert {row["prompt"] for row in rows} == {prompt_of(kind)}
    for row in rows:
        characters = set(row["text"]) - {"\N{REPLACEMENT CHARACTER}"}
        assert all(set(VOCABULARIES[kind].cut(character)) <= set(VOCABULARIES[kind].tokens) for character in characters)
        # A byte is at most one character, a subword at least one.
        assert len(row["text"]) > 40 if kind == "bpe" else len(row["text"]) < 40


@KINDS
def test_a_text_is_the_one_that_the_light_generator_streams(kind: str, models: dict[str, Path], write: Write) -> None:
    (row,) = write(source=models[kind], prompts=(prompt_of(kind),), count=1, temperatures=(1,), length=30, seed=4)
    generator = TextGenerator.read(models[kind])
    streamed = generator.stream(prompt_of(kind), Writing(length=30, temperature=1, seed=4))
    assert "".join(token.text for token in streamed) == row["text"]


@KINDS
def test_shading_goes_by_whole_characters(kind: str, models: dict[str, Path]) -> None:
    from components.generator.rows import Text

    model, ids = Model.read(models[kind]), np.arange(len(VOCABULARIES[kind]), dtype=np.int32)
    nats = np.ones(len(ids), np.float32)
    parts = sampling._shaded(
        model, Text(ids=ids, nats=nats, nats_per_token=1.0, ended="length"), "".join(model.vocabulary.text_of_each(ids))
    )
    assert "".join(text for text, _ in parts) == "".join(model.vocabulary.text_of_each(ids))
    assert all(text for text, _ in parts)


def test_the_bytes_of_a_character_are_shaded_together(models: dict[str, Path]) -> None:
    from components.generator.rows import Text

    model = Model.read(models["bytes"])
    ids = model.vocabulary.encode("aé€").astype(np.int32)
    nats = np.array([0.5, 1, 2, 1, 1, 1], np.float32)
    parts = sampling._shaded(
        model, Text(ids=ids, nats=nats, nats_per_token=1.0, ended="length"), "".join(model.vocabulary.text_of_each(ids))
    )
    assert parts == [("a", 0.5), ("é", 3.0), ("€", 3.0)]


@KINDS
def test_no_run_of_characters_is_repeated(kind: str, models: dict[str, Path], write: Write) -> None:
    settings = {"source": models[kind], "prompts": (prompt_of(kind),), "count": 4, "length": 60, "temperatures": (0.2,)}

    def longest(rows: list[dict[str, Any]]) -> int:
        """The longest run of characters that is in a text twice."""
        texts = [row["prompt"] + row["text"] for row in rows]
        return max(
            size
            for text in texts
            for size in range(len(text))
            if len({text[place : place + size] for place in range(len(text) - size + 1)}) < len(text) - size + 1
        )

    assert longest(write(**settings)) >= 4
    assert longest(write(**settings, no_repeat=4)) == 3


@KINDS
def test_no_passage_of_the_corpus_is_copied(kind: str, models: dict[str, Path], write: Write, tmp_path: Path) -> None:
    settings = {"source": models[kind], "prompts": (prompt_of(kind),), "count": 4, "length": 40, "temperatures": (0.3,)}
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    text = "".join(row["text"] for row in write(**settings))
    (corpus / "text.txt").write_text(text, encoding="utf-8", newline="\n")
    write_manifest(corpus, kind="corpus", stage="ingest", config={}, counts={}, made_from={})
    for row in write(**settings, no_copy=4, corpus=str(corpus)):
        assert not any(row["text"][place : place + 5] in text for place in range(len(row["text"]) - 4))


def test_a_text_ends_after_a_string_whatever_its_bytes(models: dict[str, Path], write: Write) -> None:
    rows = write(source=models["bytes"], prompts=("a",), count=12, length=200, temperatures=(1,), stop=("é",))
    ended = [row for row in rows if row["ended"] == "stop"]
    assert ended
    assert all(row["text"].endswith("é") and row["text"].count("é") == 1 for row in ended)


def test_a_subword_may_reach_beyond_the_string_that_ends_a_text(models: dict[str, Path], write: Write) -> None:
    rows = write(source=models["bpe"], prompts=("der",), count=12, length=200, temperatures=(1,), stop=("d",))
    ended = [row for row in rows if row["ended"] == "stop"]
    assert ended
    longest = max(map(len, VOCABULARIES["bpe"].tokens))
    assert all("d" in row["text"][-longest:] for row in ended)


def test_a_prompts_unknown_character_is_named_by_its_place(models: dict[str, Path], write: Write) -> None:
    with pytest.raises(UsageError, match="prompt 'der Wal€': '€' at character 8 is not in the model's vocabulary"):
        write(source=models["bpe"], prompts=("der Wal€",))


def test_what_is_written_continues_the_last_subword_of_the_prompt(models: dict[str, Path], write: Write) -> None:
    vocabulary = VOCABULARIES["bpe"]
    prompt = "war der W"
    *_, last = vocabulary.cut(prompt)
    beginning = {token.removeprefix(last) for token in vocabulary.tokens if token.startswith(last)}
    assert (last, beginning > {""}) == (" W", True)
    rows = write(source=models["bpe"], prompts=(prompt,), count=20, length=1, temperatures=(0, 3))
    assert {row["text"] for row in rows} == beginning
    assert all(row["prompt"] == prompt for row in rows)


def test_how_it_continues_depends_neither_on_the_batch_nor_on_what_is_refused_beside(
    models: dict[str, Path], write: Write
) -> None:
    settings = {"source": models["bpe"], "prompts": ("der W", "Baum. ", "grün"), "count": 3, "temperatures": (0.8,)}
    whole = write(**settings, no_repeat=12)
    assert write(**settings, no_repeat=12, batch=2) == whole
    assert [row["text"][:5] for row in write(**settings)] == [row["text"][:5] for row in whole]


def test_the_string_that_ends_a_text_is_never_the_end_of_the_prompt(models: dict[str, Path], write: Write) -> None:
    rows = write(source=models["bpe"], prompts=("war der W",), count=8, length=3, temperatures=(3,), stop=("W",))
    assert any(row["ended"] == "length" for row in rows)
    assert all(row["text"] for row in rows)
