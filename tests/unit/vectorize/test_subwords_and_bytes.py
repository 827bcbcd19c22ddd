"""A corpus becomes a dataset of subwords or of bytes: the text held out is that of characters, whatever the tokens."""

from collections.abc import Callable
from pathlib import Path

import pytest

from components.artifacts import utf8
from components.artifacts.dataset import text_of
from components.artifacts.errors import UsageError
from components.artifacts.manifest import digest
from components.artifacts.records import read_split
from components.artifacts.subwords import learned
from components.artifacts.vocabulary import TokenKind, Vocabulary
from components.vectorize import pieces
from components.vectorize.inspect import as_lines, first_windows
from tests.unit.vectorize.vectorized import made

MakeCorpus = Callable[..., Path]
TEXT = "Grün war der Wald, und grüner der Baum — so sang er: \N{DECIDUOUS TREE}.\n" * 12


@pytest.mark.parametrize("kind", ["bpe", "bytes"])
@pytest.mark.parametrize("held_out", [0, 0.1, 0.35])
@pytest.mark.parametrize("chunk", [5, 1 << 18])
def test_the_same_text_is_held_out_as_with_characters(
    corpus: MakeCorpus, monkeypatch: pytest.MonkeyPatch, kind: TokenKind, held_out: float, chunk: int
) -> None:
    monkeypatch.setattr(pieces, "CHUNK_CHARACTERS", chunk)
    dataset, manifest, vocabulary = made(corpus(TEXT), tokens=kind, held_out=held_out, vocabulary_size=0)
    train = int(len(TEXT) * (1 - held_out))
    ids = {split: read_split(dataset, split, manifest, vocabulary) for split in ("train", "validation")}
    assert {split: text_of(found, vocabulary) for split, found in ids.items()} == {
        "train": TEXT[:train],
        "validation": TEXT[train:],
    }
    counts = manifest.counts
    assert [counts["train_characters"], counts["validation_characters"]] == [train, len(TEXT) - train]
    assert [counts["train_tokens"], counts["validation_tokens"]] == [len(found) for found in ids.values()]
    assert counts["tokens"] == sum(map(len, ids.values()))
    for part, found in ((TEXT[:train], ids["train"]), (TEXT[train:], ids["validation"])):
        assert int(vocabulary.lengths[found].sum()) == len(part)


def test_a_byte_is_a_token_whatever_the_text(corpus: MakeCorpus) -> None:
    _, manifest, vocabulary = made(corpus(TEXT), tokens="bytes")
    assert vocabulary == Vocabulary(kind="bytes", tokens=utf8.BYTES)
    assert manifest.counts["tokens"] == len(TEXT.encode())
    assert vocabulary.unknown_in("\N{SNOWMAN}, never seen") == []


def test_subwords_are_learned_from_the_text_that_is_trained_on(corpus: MakeCorpus) -> None:
    text = TEXT + "zzzz zzzz " * 20
    _, manifest, vocabulary = made(corpus(text), tokens="bpe", vocabulary_size=50, held_out=0.25)
    train = text[: int(len(text) * 0.75)]
    assert vocabulary.merges == learned([train], sorted(set(text)), 50)
    assert vocabulary.tokens == tuple(sorted({*text, *(one + other for one, other in vocabulary.merges)}))
    assert (len(vocabulary), manifest.counts["vocabulary"]) == (50, 50)
    assert not any("zz" in token for token in vocabulary.tokens)


@pytest.mark.parametrize("kind", ["bpe", "bytes"])
def test_two_runs_write_the_same_bytes(corpus: MakeCorpus, kind: TokenKind) -> None:
    source = corpus(TEXT)
    digests = {made(source, tokens=kind) and digest(source.parent / "dataset") for _ in range(2)}
    assert len(digests) == 1


def test_a_text_with_more_characters_than_the_vocabulary_is_refused(corpus: MakeCorpus) -> None:
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 60))) * 10
    with pytest.raises(UsageError) as raised:
        made(corpus(text), tokens="bpe", vocabulary_size=60)
    assert str(raised.value) == (
        "vectorize.vocabulary_size=60: the text has 60 different characters, each a token, so none would be left for "
        "subwords; raise it, or set vectorize.tokens to bytes or characters"
    )


def test_a_text_without_white_space_is_read_in_pieces(corpus: MakeCorpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "CHUNK_CHARACTERS", 30)
    monkeypatch.setattr(pieces, "LOOK_AHEAD", 70)
    text = "我能吞下玻璃而不傷身體。" * 30
    dataset, manifest, vocabulary = made(corpus(text), tokens="bpe", vocabulary_size=40, length=8)
    found = [read_split(dataset, split, manifest, vocabulary) for split in ("train", "validation")]
    assert "".join(text_of(ids, vocabulary) for ids in found) == text


def test_its_windows_can_be_looked_at(corpus: MakeCorpus) -> None:
    dataset, *_ = made(corpus(TEXT), tokens="bpe", vocabulary_size=60)
    summary, first = as_lines(first_windows(str(dataset), split="train", count=1))
    assert " subwords, " in summary
    assert first.startswith("'Gr")
