"""`sample.no_copy`: no long passage of the corpus is sampled, in any batch or shard."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.artifacts import storage
from components.artifacts.errors import ArtifactError, SourceError, UsageError
from components.artifacts.manifest import digest, verify, write_manifest
from components.sample import sampling
from components.sample.config import SampleConfig
from components.sample.sampling import sample
from tests.unit.sample.sampled import bytes_of

Write = Callable[..., bytes]
NO_COPY = 4


def longest_copy(row: dict[str, Any], corpus: str) -> int:
    text, longest = row["text"], 0
    for begin in range(len(text)):
        while text[begin : begin + longest + 1] in corpus and begin + longest < len(text):
            longest += 1
    return longest


@pytest.fixture
def write(model: Path, tmp_path: Path) -> Write:
    """Writes samples with the changed settings, and returns their files' bytes."""

    def run(**changes: Any) -> bytes:
        settings = {"prompts": ("a", "fed & "), "count": 4, "length": 40, "temperatures": (0, 0.7), **changes}
        return bytes_of(model, tmp_path / "samples", **settings)

    return run


@pytest.fixture
def corpus(write: Write, tmp_path: Path) -> Path:
    """A corpus of what the model writes of itself."""
    text = "".join(json.loads(line)["text"] for line in write(seed=9).splitlines())
    directory = tmp_path / "corpus"
    directory.mkdir()
    (directory / "text.txt").write_text(text, encoding="utf-8", newline="\n")
    write_manifest(directory, kind="corpus", stage="ingest", config={}, counts={}, made_from={})
    return directory


def test_no_longer_passage_of_the_corpus_is_written(write: Write, corpus: Path, tmp_path: Path, model: Path) -> None:
    text = (corpus / "text.txt").read_text(encoding="utf-8")

    def longest(**changes: Any) -> int:
        return max(longest_copy(json.loads(line), text) for line in write(**changes).splitlines())

    assert longest() > NO_COPY
    assert longest(no_copy=NO_COPY, corpus=str(corpus)) == NO_COPY
    manifest = verify(tmp_path / "samples", "samples")
    assert manifest.made_from == {"model": digest(model), "corpus": digest(corpus)}


@pytest.mark.slow("samples five times; test_sampling shows it for plain texts")
@pytest.mark.parametrize("context", ["carry", "window"])
def test_the_bytes_depend_neither_on_the_batch_nor_on_shards(write: Write, corpus: Path, context: str) -> None:
    settings = {"no_copy": NO_COPY, "corpus": str(corpus), "context": context}
    whole = write(**settings, batch=512)
    assert [write(**settings, batch=batch) == whole for batch in (1, 5)] == [True, True]
    assert b"".join(write(**settings, shard=shard, shards=3, batch=2) for shard in range(3)) == whole


def test_no_copy_needs_the_corpus() -> None:
    with pytest.raises(UsageError, match="no_copy needs corpus, the URI of the corpus"):
        SampleConfig.parse({"no_copy": 40}, "sample")


def test_what_is_no_corpus_is_refused(write: Write, model: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="this is a model artifact, where a corpus is needed"):
        write(no_copy=NO_COPY, corpus=str(model))
    assert not (tmp_path / "samples").exists()


def made_again(corpus: Path) -> None:
    """Another corpus at the same place."""
    with storage.outgoing(str(corpus), "corpus") as directory:
        (directory / "text.txt").write_text("another text")
        write_manifest(directory, kind="corpus", stage="ingest", config={}, counts={}, made_from={})


def test_a_corpus_that_was_made_again_since_the_run_began_is_refused(model: Path, corpus: Path, tmp_path: Path) -> None:
    config = SampleConfig(prompts=("a",), count=1, length=4, no_copy=NO_COPY, corpus=str(corpus))
    samples, named = str(tmp_path / "new"), digest(corpus)
    sample(config, model=str(model), samples=samples, corpus_digest=named)
    before = verify(Path(samples))
    made_again(corpus)
    with pytest.raises(SourceError, match=f"{corpus}/manifest.json: has changed since the run began"):
        sample(config, model=str(model), samples=samples, corpus_digest=named)
    assert verify(Path(samples)) == before
    sample(config, model=str(model), samples=samples, corpus_digest=digest(corpus))


def test_a_corpus_that_is_replaced_while_its_passages_are_noted_is_refused(
    model: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = sampling.Passages

    def replaced(*arguments: Any) -> Any:
        made_again(corpus)
        return noted(*arguments)

    monkeypatch.setattr(sampling, "Passages", replaced)
    config = SampleConfig(prompts=("a",), count=1, length=4, no_copy=NO_COPY, corpus=str(corpus))
    with pytest.raises(ArtifactError, match=f"{corpus}: was replaced by another artifact while it was read"):
        sample(config, model=str(model), samples=str(tmp_path / "new"))
    assert not (tmp_path / "new").exists()
