"""The wording of some texts: words that the training text has, and repetition.

- Valid words: the share of words that the training text has too. A text's first and last word are left out, since
  texts may begin and end inside a word.
- Distinct-n: different runs of n words over all runs of n words (Li et al., "A diversity-promoting objective function
  for neural conversation models", 2016). It falls with the texts' length: compare like with like.
- Self-repetition: the share of a text's runs of 4 words that occurred in the same text before, over all texts
  (seq-rep-4; Welleck et al., "Neural text generation with unlikelihood training", 2020).
"""

import re
from collections.abc import Sequence
from typing import Any

WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
DISTINCT = (1, 2, 3)
REPEATED = 4


def words_of(text: str) -> frozenset[str]:
    """The different words of a text."""
    return frozenset(match[0] for match in WORD.finditer(text))


def worded(texts: Sequence[str], known: frozenset[str]) -> dict[str, Any]:
    """`valid_words`, `distinct` by n and `self_repetition` of some texts; None if there is nothing to count.

    `known` are the training text's words.
    """
    words = [WORD.findall(text) for text in texts]
    whole = [word for text in words for word in text[1:-1]]
    runs = [_runs(text, REPEATED) for text in words]
    repeated = sum(len(text) - len(set(text)) for text in runs)
    return {
        "valid_words": _share(sum(word in known for word in whole), len(whole)),
        "distinct": {length: _distinct(words, length) for length in DISTINCT},
        "self_repetition": _share(repeated, sum(map(len, runs))),
    }


def _distinct(texts: Sequence[Sequence[str]], length: int) -> float | None:
    runs = [run for text in texts for run in _runs(text, length)]
    return _share(len(set(runs)), len(runs))


def _runs(words: Sequence[str], length: int) -> list[tuple[str, ...]]:
    return list(zip(*(words[place:] for place in range(length)), strict=False))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
