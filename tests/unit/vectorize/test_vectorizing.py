"""A corpus becomes a dataset: splits, shards, vocabulary, the same bytes each time."""

import io
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from components.artifacts import records
from components.artifacts.documents import END
from components.artifacts.errors import ArtifactError
from components.artifacts.manifest import digest, read_manifest, write_manifest
from components.artifacts.records import read_split, window_count
from components.artifacts.vocabulary import TokenKind, Vocabulary, WordRule
from components.artifacts.words import Cutter
from components.vectorize import pieces as pieces_module
from components.vectorize import vectorizing
from components.vectorize.building import build_vocabulary
from components.vectorize.config import VectorizeConfig
from components.vectorize.vectorizing import vectorize
from tests.unit.vectorize.vectorized import made

MakeCorpus = Callable[..., Path]
TEXT = "The cat sat on the mat; the dog didn't.\n\nThen the cat went, and so did the dog.\n" * 5


def text_of(dataset: Path, split: str) -> str:
    vocabulary = Vocabulary.read(dataset)
    return vocabulary.decode(read_split(dataset, split, read_manifest(dataset), vocabulary))


@pytest.mark.parametrize("kind", ["characters", "words"])
@pytest.mark.parametrize(("length", "step", "held_out"), [(8, 1, 0.1), (5, 3, 0.5), (20, 7, 0)])
def test_the_splits_hold_the_whole_text_and_the_counts_add_up(
    corpus: MakeCorpus, kind: TokenKind, length: int, step: int, held_out: float
) -> None:
    source = corpus(TEXT)
    dataset, manifest, vocabulary = made(source, tokens=kind, length=length, step=step, held_out=held_out)
    tokens = list(TEXT) if kind == "characters" else Cutter().cut(TEXT)
    train = int(len(tokens) * (1 - held_out))
    texts = {"train": "".join(tokens[:train]), "validation": "".join(tokens[train:])}
    assert {split: text_of(dataset, split) for split in texts} == texts
    rule: WordRule = "unicode" if kind == "words" else "runs"
    assert vocabulary == Vocabulary(kind=kind, tokens=tuple(sorted(set(tokens))), word_rule=rule)
    assert manifest.counts == {
        "vocabulary": len(set(tokens)),
        "tokens": len(tokens),
        "train_tokens": train,
        "train_characters": len(texts["train"]),
        "train_windows": len(range(0, train - length, step)),
        "validation_tokens": len(tokens) - train,
        "validation_characters": len(texts["validation"]),
        "validation_windows": len(range(0, len(tokens) - train - length, step)),
    }
    assert manifest.made_from == {"corpus": digest(source)}
    assert manifest.config == {
        "tokens": kind,
        "vocabulary_size": 0,
        "length": length,
        "step": step,
        "held_out": held_out,
        "shards": 1,
    }


def test_what_the_stage_returns_and_shows(corpus: MakeCorpus, logged: io.StringIO) -> None:
    source = corpus(TEXT)
    target = source.parent / "dataset"
    result = vectorize(VectorizeConfig(length=9), corpus=f"file://{source}", dataset=f"file://{target}")
    assert result == {"dataset": f"file://{target}", "counts": read_manifest(target).counts}
    windows = [window_count(len(TEXT) * 9 // 10, 9, 1), window_count(len(TEXT) - len(TEXT) * 9 // 10, 9, 1)]
    assert logged.getvalue() == (
        f"vectorize  {len(TEXT)} characters, vocabulary of {len(set(TEXT))}; windows of 9: "
        f"{windows[0]} to train, {windows[1]} held out\n"
    )


@pytest.mark.parametrize(
    ("tokens", "held_out", "train"),
    [(1_115_394, 0.1, 1_003_854), (1000, 0.1, 900), (1001, 0.5, 500), (1000, 0, 1000), (1, 0.1, 0)],
)
def test_the_last_part_is_held_out(tokens: int, held_out: float, train: int) -> None:
    assert vectorizing._before_held_out(tokens, held_out) == train


def test_nothing_held_out_leaves_no_validation_files(corpus: MakeCorpus) -> None:
    dataset, manifest, _ = made(corpus(TEXT), held_out=0, length=8)
    assert sorted(path.name for path in dataset.iterdir()) == [
        "manifest.json",
        "train-00000-of-00001.tfrecord",
        "vocabulary.json",
    ]
    assert [manifest.counts[f"validation_{what}"] for what in ("tokens", "characters", "windows")] == [0, 0, 0]
    assert text_of(dataset, "train") == TEXT
    assert text_of(dataset, "validation") == ""


def test_each_split_is_cut_into_shards(corpus: MakeCorpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "BLOCK_TOKENS", 16)
    monkeypatch.setattr(pieces_module, "CHUNK_CHARACTERS", 25)
    dataset, manifest, _ = made(corpus(TEXT), shards=3, length=8, held_out=0.3)
    shards = [f"{split}-{shard:05d}-of-00003.tfrecord" for split in ("train", "validation") for shard in range(3)]
    assert list(manifest.files) == [*shards, "vocabulary.json"]
    assert text_of(dataset, "train") + text_of(dataset, "validation") == TEXT


@pytest.mark.parametrize("kind", ["characters", "words"])
def test_the_dataset_does_not_depend_on_how_the_text_is_read(
    corpus: MakeCorpus, monkeypatch: pytest.MonkeyPatch, kind: TokenKind
) -> None:
    source = corpus(TEXT)
    made(source, tokens=kind, length=8)
    whole = digest(source.parent / "dataset")
    monkeypatch.setattr(pieces_module, "CHUNK_CHARACTERS", 7)
    made(source, tokens=kind, length=8)
    assert digest(source.parent / "dataset") == whole


@given(
    text=st.text(min_size=2, max_size=60)
    | st.text("ab \n", min_size=2, max_size=60)
    | st.text("aé€\U0001f600", min_size=2),
    kind=st.sampled_from(["characters", "words"]),
    chunk=st.integers(1, 9),
    block=st.integers(1, 9),
    held_out=st.sampled_from([0, 0.1, 0.4]),
)
@settings(max_examples=150, deadline=None)
def test_the_dataset_is_that_of_looking_up_each_token(
    tmp_path_factory: pytest.TempPathFactory, text: str, kind: TokenKind, chunk: int, block: int, held_out: float
) -> None:
    assume(END not in text)  # test_documents has it
    path, directory = tmp_path_factory.getbasetemp() / "plain.txt", tmp_path_factory.mktemp("dataset")
    path.write_text(text, encoding="utf-8", newline="")
    config = VectorizeConfig(tokens=kind, held_out=held_out, shards=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces_module, "CHUNK_CHARACTERS", chunk)
        patch.setattr(records, "BLOCK_TOKENS", block)
        vocabulary, total, _ = build_vocabulary(path, config, lowercase=False)
        sizes = vectorizing._sizes(vectorizing._before_held_out(total, held_out), total)
        characters = vectorizing._write_splits(directory, path, vocabulary, sizes, config, 0)
    tokens = list(text) if kind == "characters" else Cutter().cut(text)
    assert vocabulary.tokens == tuple(sorted(set(tokens)))
    assert total == len(tokens)
    parts = {"train": tokens[: sizes["train"]], "validation": tokens[sizes["train"] :]}
    counts = {f"{split}_tokens": len(part) for split, part in parts.items()}
    manifest = write_manifest(directory, kind="dataset", stage="vectorize", config={}, counts=counts, made_from={})
    index = {token: place for place, token in enumerate(sorted(set(tokens)))}
    for split, part in parts.items():
        assert read_split(directory, split, manifest, vocabulary).tolist() == [index[token] for token in part]
        assert characters[split] == len("".join(part))


@pytest.mark.parametrize("before", [0, 1, 2, 3])
@pytest.mark.parametrize("chunk", [1000, 8192, 1 << 18])
def test_characters_of_several_bytes_stay_whole_wherever_reading_cuts(
    corpus: MakeCorpus, monkeypatch: pytest.MonkeyPatch, before: int, chunk: int
) -> None:
    monkeypatch.setattr(pieces_module, "CHUNK_CHARACTERS", chunk)
    text = "a" * before + "\U0001f600é€" * 10_000 + "b" * 9000
    dataset, manifest, _ = made(corpus(text), length=8)
    assert manifest.counts["tokens"] == len(text)
    assert text_of(dataset, "train") + text_of(dataset, "validation") == text


def test_the_stage_needs_no_tensorflow(corpus: MakeCorpus) -> None:
    source = corpus(TEXT)
    code = (
        "import sys\nfrom components.vectorize.__main__ import STAGE\nfrom components.vectorize import inspect\n"
        "ended = STAGE.main(sys.argv[1:])\nsys.exit(ended or 'tensorflow' in sys.modules)"
    )
    place = str(source.parent / "dataset")
    command = [sys.executable, "-c", code, "--corpus", str(source), "--dataset", place, "--length", "8"]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    assert text_of(Path(place), "train") == TEXT[: len(TEXT) * 9 // 10]


@pytest.mark.parametrize("lowercase", [False, True])
def test_the_vocabulary_knows_that_the_corpus_was_lowercased(corpus: MakeCorpus, lowercase: bool) -> None:
    _, _, vocabulary = made(corpus(TEXT.lower(), lowercase=lowercase), length=8)
    assert vocabulary.lowercase is lowercase


@pytest.mark.parametrize("kind", ["characters", "words"])
def test_a_corpus_shorter_than_one_window_is_refused(corpus: MakeCorpus, kind: TokenKind) -> None:
    source = corpus("a,b,c")
    with pytest.raises(ArtifactError) as raised:
        made(source, tokens=kind, length=5, held_out=0)
    assert str(raised.value) == (
        f"{source}: 5 {kind} to train on, but one window and its target take 6; "
        "give more text or a smaller vectorize.length"
    )
    assert list(source.parent.iterdir()) == [source]
    _, manifest, _ = made(source, tokens=kind, length=4, held_out=0)
    assert manifest.counts["train_windows"] == 1


def test_a_held_out_part_shorter_than_one_window_is_reported(corpus: MakeCorpus, logged: io.StringIO) -> None:
    made(corpus("x" * 100), length=10)
    assert "warning: only 10 characters held out: less than one window and its target" in logged.getvalue()


@pytest.mark.parametrize("damage", [b"", b"The cat sat on the hat"])
def test_a_damaged_corpus_is_refused_and_leaves_nothing(corpus: MakeCorpus, damage: bytes) -> None:
    source = corpus("The cat sat on the mat")
    (source / "text.txt").write_bytes(damage)
    with pytest.raises(ArtifactError) as raised:
        made(source, length=8)
    assert str(raised.value).startswith(f"{source / 'text.txt'}: ")
    assert list(source.parent.iterdir()) == [source]


def test_another_artifact_is_no_corpus(corpus: MakeCorpus) -> None:
    dataset, _, _ = made(corpus(TEXT), length=8)
    with pytest.raises(ArtifactError, match="this is a dataset artifact, where a corpus is needed"):
        vectorize(VectorizeConfig(length=8), corpus=str(dataset), dataset=str(dataset.parent / "other"))


def test_a_megabyte_of_text_takes_little_more_on_disk(corpus: MakeCorpus) -> None:
    text = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ.,;\n", k=1_000_000))
    dataset, manifest, _ = made(corpus(text), step=1, shards=8)
    assert manifest.counts["train_windows"] > 800_000
    assert sum(path.stat().st_size for path in dataset.iterdir()) <= 1.1 * len(text)


def test_two_runs_write_the_same_bytes(corpus: MakeCorpus) -> None:
    source = corpus(TEXT)
    for name in ("one", "two"):
        vectorize(VectorizeConfig(tokens="words", length=8), corpus=str(source), dataset=str(source.parent / name))
    one, two = ({path.name: path.read_bytes() for path in (source.parent / n).iterdir()} for n in ("one", "two"))
    assert one == two
