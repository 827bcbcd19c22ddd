"""Subwords: pieces of words, from byte pair encoding over characters (Sennrich, Haddow and Birch, 2016).

The vocabulary begins with the characters of the text. Again and again the two tokens that stand side by side most
often become one, within words alone: no token goes beyond a word with the space before it, a number, a run of marks, or
a single white-space character. So lines and documents begin with a token of their own. The library tokenizers learns
the merges and applies them.
"""

import json
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import groupby
from typing import Any

from components.artifacts.words import Cutter

DEFAULT_SIZE = 1_024
Merges = tuple[tuple[str, str], ...]
_WORD = r" ?[\p{L}\p{M}]+(?:['\u2019][\p{L}\p{M}]+)*| ?\p{N}+| ?[^\s\p{L}\p{M}\p{N}]+|\s"


def learned(pieces: Iterable[str], characters: Sequence[str], size: int) -> Merges:
    """The merges for a vocabulary of `size` tokens, in order, learned from a text in pieces of whole words.

    All `characters` are tokens, also those that these pieces lack. A merge that occurs only once is not made, so a
    short text has fewer tokens.
    """
    from tokenizers import trainers

    tokenizer = _tokenizer({}, ())
    trainer = trainers.BpeTrainer(
        vocab_size=size, min_frequency=2, initial_alphabet=list(characters), show_progress=False
    )
    tokenizer.train_from_iterator(pieces, trainer)
    return tuple((left, right) for left, right in json.loads(tokenizer.to_str())["model"]["merges"])


class Subwords(Cutter):
    """The tokens of each chunk: subwords, and as they are the characters that are not in the vocabulary."""

    def __init__(self, ids: dict[str, int], merges: Merges) -> None:
        super().__init__()
        self._ids, self._merges = ids, merges

    @cached_property
    def _tokenizer(self) -> Any:
        return _tokenizer(self._ids, self._merges)

    def _tokens(self, chunk: str) -> Sequence[str]:
        tokens: list[str] = []
        for is_known, characters in groupby(chunk, self._ids.__contains__):
            part = "".join(characters)
            tokens += self._tokenizer.encode(part).tokens if is_known else part  # it would leave out what it lacks
        return tokens


def _tokenizer(ids: dict[str, int], merges: Merges) -> Any:
    """The library's tokenizer."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.BPE(ids, list(merges)))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(_WORD), "isolated")
    return tokenizer
