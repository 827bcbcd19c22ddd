"""The vocabulary of a text: which words are kept, and what it warns about."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from components.artifacts.records import read_split
from components.artifacts.vocabulary import UNKNOWN, Vocabulary
from tests.unit.vectorize.vectorized import made

MakeCorpus = Callable[..., Path]


def test_only_the_most_frequent_words_are_kept(corpus: MakeCorpus) -> None:
    text = "a a a a b b b d d c c e"
    dataset, manifest, vocabulary = made(corpus(text), tokens="words", vocabulary_size=4, length=2, held_out=0)
    # " a" and " b" are 3 each; " c" and " d" 2 each, so the earlier one is kept.
    assert vocabulary == Vocabulary(
        kind="words", tokens=(" a", " b", " c", UNKNOWN), has_unknown=True, word_rule="unicode"
    )
    assert manifest.counts["vocabulary"] == 4
    ids = read_split(dataset, "train", manifest, vocabulary)
    assert vocabulary.decode(ids) == f"{UNKNOWN} a a a b b b{UNKNOWN}{UNKNOWN} c c{UNKNOWN}"


@pytest.mark.parametrize("size", [0, 5, 6, 1000])
def test_a_vocabulary_that_fits_has_no_token_for_the_unknown(corpus: MakeCorpus, size: int) -> None:
    _, _, vocabulary = made(corpus("a b c d e a b"), tokens="words", vocabulary_size=size, length=2, held_out=0)
    assert vocabulary.has_unknown == (size == 5)
    assert len(vocabulary) == (5 if size == 5 else 6)


@pytest.mark.parametrize(("text", "share"), [("我能吞下玻璃 " * 30, "86%"), ("Words with spaces. " * 30, "")])
def test_words_of_scripts_without_spaces_get_a_warning_that_names_characters(
    corpus: MakeCorpus, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, text: str, share: str
) -> None:
    monkeypatch.setattr(logging.getLogger("quillflow"), "propagate", True)
    made(corpus(text), tokens="words", length=4)
    expected = f"{share} of the text is in scripts without spaces between words, so that each of their characters"
    assert (expected in caplog.text and "vectorize.tokens=characters" in caplog.text) == bool(share)
