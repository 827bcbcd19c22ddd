"""A model of documents writes whole ones, and strings to stop at end any model's texts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.errors import UsageError
from components.artifacts.manifest import verify
from components.artifacts.vocabulary import Vocabulary
from components.generator.light.generator import TextGenerator, Writing
from components.sample.config import SampleConfig
from components.sample.gathering import gather
from components.sample.sampling import sample
from tests.unit.sample.sampled import Write, rows_of

VOCABULARY = Vocabulary(kind="characters", tokens=("", *sorted("abcdefghi<>&é \n")))


@pytest.fixture(scope="module")
def documents(model_of: Callable[..., Path]) -> Path:
    """A model that writes documents, of some twenty characters each."""
    return model_of(vocabulary=VOCABULARY, prompts=[])


def test_count_is_of_documents_and_each_says_how_it_ended(write: Write, documents: Path, tmp_path: Path) -> None:
    rows = write(source=documents, count=20, temperatures=(0.8, 1.2), length=30)
    assert [(row["id"], row["prompt"]) for row in rows] == [(number, "") for number in range(40)]
    assert {row["ended"] for row in rows} == {"end", "length"}
    for row in rows:
        assert len(row["text"]) == 30 if row["ended"] == "length" else len(row["text"]) < 30
    ended = sum(row["ended"] == "end" for row in rows)
    tokens = sum(len(row["text"]) for row in rows) + ended
    assert verify(tmp_path / "samples").counts == {"texts": 40, "tokens": tokens, "ended": ended}
    page = (tmp_path / "samples" / "report.html").read_text(encoding="utf-8")
    assert f"; {ended} of 40 texts ended before their full length" in page
    assert page.count("nats per token · ended") == ended


def test_a_prompt_begins_a_document(write: Write, documents: Path) -> None:
    rows = write(source=documents, prompts=("abc", "d"), count=2, temperatures=(1,))
    assert [row["prompt"] for row in rows] == ["abc", "abc", "d", "d"]
    generator = TextGenerator.read(documents)
    assert generator.encode("abc").tolist() == [0, *VOCABULARY.encode("abc")]
    assert generator.encode("").tolist() == [0]


@pytest.mark.parametrize("prompt", ["", "ab"])
def test_complete_writes_the_documents_that_sample_writes(write: Write, documents: Path, prompt: str) -> None:
    prompts = {"prompts": (prompt,)} if prompt else {}
    rows = write(source=documents, count=6, temperatures=(1,), length=30, seed=5, **prompts)
    generator = TextGenerator.read(documents)
    for row in rows:
        tokens = list(generator.stream(prompt, Writing(length=30, temperature=1, seed=5), row["id"]))
        assert "".join(token.text for token in tokens) == row["text"]
        assert ("length" if tokens[-1].text else "end") == row["ended"]
        assert sum(token.nats for token in tokens) / len(tokens) == pytest.approx(row["nats_per_token"], abs=1e-4)


def test_the_bytes_depend_neither_on_the_batch_nor_on_shards(documents: Path, tmp_path: Path) -> None:
    config = SampleConfig(count=30, temperatures=(0.7, 1.3), length=40, batch=1)
    sample(config, model=str(documents), samples=str(tmp_path / "whole"))
    shards = [str(tmp_path / str(number)) for number in range(3)]
    for number, path in enumerate(shards):
        changes = {"shard": number, "shards": 3, "batch": 7}
        sample(config.model_copy(update=changes), model=str(documents), samples=path)
    gather(shards, samples=str(tmp_path / "gathered"))
    assert rows_of(tmp_path / "gathered") == rows_of(tmp_path / "whole")
    assert verify(tmp_path / "gathered").counts == verify(tmp_path / "whole").counts


def test_a_string_to_stop_at_ends_a_text_with_it(write: Write, model: Path) -> None:
    changes: dict[str, Any] = {"source": model, "prompts": ("abc",), "count": 8, "temperatures": (1,), "length": 40}
    whole = write(**changes)
    assert "ended" not in whole[0]
    for row, before in zip(write(stop=("a", "<b"), **changes), whole, strict=True):
        ends = [before["text"].find(string) + len(string) for string in ("a", "<b") if string in before["text"]]
        assert row["text"] == before["text"][: min(ends, default=None)]
        assert row["ended"] == ("stop" if ends else "length")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"stop": ("abcabcabc",), "length": 8},
            r"sample\.stop: 'abcabcabc' has 9 characters, more than sample\.length, 8",
        ),
        ({"stop": ("a", "x")}, r"sample\.stop: 'x' has 'x', which the model never writes, so it can't end a text$"),
        ({"stop": ("\\n",)}, r"'\\\\n' has '\\\\', .* write a newline as \$'\\n' in the shell"),
    ],
)
def test_a_string_that_can_not_end_a_text_is_refused(
    write: Write, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        write(**changes)
    assert not (tmp_path / "samples").exists()


def test_settings_that_mean_nothing_for_documents_are_refused(write: Write, documents: Path) -> None:
    with pytest.raises(UsageError, match=r"sample\.prompt_length has an effect only with random windows as prompts"):
        write(source=documents, prompt_length=3)
    with pytest.raises(UsageError, match="a string in stop must not be empty"):
        SampleConfig.parse({"stop": ["a", ""]}, "sample")
