"""Words in all scripts: text is cut at Unicode's word boundaries (UAX #29).

A token is a word or a mark with the space before it, or a single white-space character; joined, they give the text
back. Letters with all their marks are one word, and so is don't, with either apostrophe. In scripts without spaces
between words, each ideograph or syllable is a token. Two bounds are ours: a word has at most about a hundred letters,
and a letter only a few marks, so that memory is bounded on a text without spaces.

A token never depends on what precedes it, so a text may be cut in pieces wherever a token begins.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any, TypeVar

LOOK_AHEAD = 1 << 15
"""No token depends on more characters than this after its beginning."""
CHUNK = re.compile(r" ?\S+|\s")
"""White space ends every token, so what is between can be cut alone, and is remembered."""
_REMEMBERED, _LONGEST_REMEMBERED = 1 << 17, 64
Found = TypeVar("Found")
_LETTERS = "A-Za-zÀ-ÖØ-öø-ʸΑ-ΡΣ-ϵА-ҁҊ-ԯ"
_KATAKANA = r"\u30a1-\u30fa\u30fc"
# What most text is made of; the full rule would cut it the same way, but much more slowly: words of letters that join
# only with letters; and, in scripts without spaces, runs of characters that never join, each with its marks.
_WORD = re.compile(rf"( ?(?:[{_LETTERS}]{{1,64}}|[{_KATAKANA}]{{1,64}}))([,;!?.:)\"-]?)")
SINGLE = (
    r"\u0e01-\u0e30\u0e32\u0e33\u0e3f-\u0e46\u0e4f\u0e5a\u0e5b"  # Thai
    r"\u0e81\u0e82\u0e84\u0e86-\u0e8a\u0e8c-\u0ea3\u0ea5\u0ea7-\u0eb0\u0eb2\u0eb3\u0ebd\u0ec0-\u0ec4\u0ec6"  # Lao
    r"\u1000-\u102a\u1050-\u1055\u104a-\u104f\u1780-\u17b3\u17d4-\u17dc"  # Burmese, Khmer
    r"\u3041-\u3096\u3400-\u4dbf\u4e00-\u9fff\u3001-\u3003\u3008-\u3011\uff01\uff1f"
)
MARK = (
    r"\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ecd"
    r"\u102b-\u103e\u1056-\u1059\u17b4-\u17d3\u17dd\u3099\u309a"
)
PLAIN = rf"!-~¡-¬{_LETTERS}{_KATAKANA}\u2014\u2018\u2019\u201c\u201d\u2026\uff01-\uff60"
_BETWEEN_NUMBERS = r"\uff0c\uff1a\uff1b"  # marks that join numbers or letters, but not characters that never join
_CLUSTER = rf"[{SINGLE}{_BETWEEN_NUMBERS}][{MARK}]{{0,15}}"
_CLUSTERS, _A_MARK = re.compile(_CLUSTER), re.compile(f"[{MARK}]")
# What follows is not a mark, so the run ends where its last token does.
_RUN = re.compile(rf"((?=[{SINGLE}])(?:{_CLUSTER}+)+(?=[{SINGLE}{PLAIN}]|\Z))")
UNSPACED = r"[\p{LB=Complex_Context}\p{Han}\p{Hiragana}\p{Katakana}\p{Tibetan}]"
"""Characters of scripts without spaces between words, as a pattern of `regex`."""


class Chunks(dict[str, Found]):
    """What `find` returns for each chunk; short ones are remembered, up to a limit of memory."""

    def __init__(self, find: Callable[[str], Found]) -> None:
        self._find = find

    def __missing__(self, chunk: str) -> Found:
        """Find it for a new chunk."""
        found = self._find(chunk)
        if len(chunk) <= _LONGEST_REMEMBERED and len(self) < _REMEMBERED:
            self[chunk] = found
        return found


class Cutter(Chunks[Sequence[str]]):
    """The tokens of each chunk."""

    def __init__(self) -> None:
        super().__init__(self._tokens)

    def cut(self, text: str) -> list[str]:
        """The tokens of a text."""
        return list(chain.from_iterable(map(self.__getitem__, CHUNK.findall(text))))

    def _tokens(self, chunk: str) -> Sequence[str]:
        if word := _WORD.fullmatch(chunk):
            return [word[1], word[2]] if word[2] else [chunk]
        if chunk[0] == " " and len(chunk) > 1:  # the first token has the space and does not depend on it
            first, *others = self._tokens(chunk[1:])
            return [f" {first}", *others]
        between, *more = _RUN.split(chunk)
        if not more:
            return _rule().findall(chunk)  # type: ignore[no-any-return]
        tokens = list(self[between]) if between else []
        for run, between in zip(more[::2], more[1::2], strict=True):
            tokens += _CLUSTERS.findall(run) if _A_MARK.search(run) else run
            tokens += self[between] if between else ()
        return tokens


def unspaced(tokens: Mapping[str, int]) -> float:
    """The share of characters of scripts without spaces between words, in a text's tokens with their counts."""
    import regex

    found = regex.compile(UNSPACED)
    total = sum(len(token) * count for token, count in tokens.items())
    return sum(len(found.findall(token)) * count for token, count in tokens.items()) / max(total, 1)


@cache
def _rule() -> Any:
    """The full rule as one pattern: the rules of UAX #29 that join, WB3c to WB16, over the members of each class."""
    import regex  # this takes a tenth of a second, and only words need it

    def of(*classes: str) -> str:
        return "[" + "".join(rf"\p{{WB={name}}}" for name in classes) + "]"

    marks = of("Extend", "Format", "ZWJ") + "{0,15}+"
    letters, mid_letter = of("ALetter", "Hebrew_Letter"), of("MidLetter", "MidNumLet", "Single_Quote")
    hebrew, mid_number = of("Hebrew_Letter"), of("MidNum", "MidNumLet", "Single_Quote")
    joined = f"{mid_letter}{marks}(?={letters})"
    letter = f"(?:{of('ALetter')}{marks}(?:{joined})?|{hebrew}{marks}(?:{joined}|'{marks}|\"{marks}(?={hebrew}))?)"
    number = f"{of('Numeric')}{marks}(?:{mid_number}{marks}(?={of('Numeric')}))?"
    part = f"(?:(?:{letter}|{number}){{1,64}}+|(?:{of('Katakana')}{marks}){{1,64}}+)"
    line = f"(?:(?:{of('ExtendNumLet')}{marks}){{1,64}}+)"
    word = f"(?:{line}(?:{part}{line}){{0,5}}+{part}?+|{part}(?:{line}{part}){{0,5}}+{line}?+)"
    flag, picture = of("Regional_Indicator"), rf"\p{{Extended_Pictographic}}{marks}"
    one = rf"(?:{word}|{flag}{marks}(?:{flag}{marks})?+|\S{marks})"
    return regex.compile(rf"(?V1s) ?{one}(?:(?<=\u200d){picture}){{0,15}}+|.")
