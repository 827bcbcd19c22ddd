"""Project Gutenberg's header and licence around a book, of any of its years."""

import re
from collections.abc import Iterable, Iterator

_LONGEST_HEADER = 1 << 16
"""The characters among which the header's end is looked for."""
_HEADER = re.compile(
    r"^\*\*\* ?START OF (?:THE|THIS) (?:PROJECT GUTENBERG|COPYRIGHTED)[^*]{0,500}\*\*\*.*\n"
    r"|^\*END ?\*? ?THE SMALL PRINT!.*\n",
    re.MULTILINE | re.IGNORECASE,
)
_CREDITS = re.compile(
    r"\s*(?:Produced by|E-?text prepared by|This e-?text was (?:produced|prepared) by)[^\n]*\n(?:\S[^\n]*\n)*"
)
_LICENCE = re.compile(
    r"\n\W{0,8}(?:END|FIN|ENDE) (?:OF |DE |DIESES )?(?:THE |THIS )?(?:PROJECT|PROJEKT) GUTENBERG", re.IGNORECASE
)
_LONGEST_MATCH = 64
_MOST_HELD = 1 << 16
"""How much white space is held back until it is known what follows: memory must not grow with it."""


def has_header(head: str) -> bool:
    """Whether a text begins with Project Gutenberg's header."""
    return bool(_HEADER.search(head, 0, _LONGEST_HEADER))


class Book:
    """A book without what Project Gutenberg puts around it; `removed` counts its characters, so far."""

    def __init__(self) -> None:
        self.removed = 0

    def pieces(self, text: Iterable[str]) -> Iterator[str]:
        """The pieces of a text without header and licence, if it has them."""
        pieces = iter(text)
        held = self._without_header(pieces)
        for piece in pieces:
            held += piece
            if _LICENCE.search(held):
                break
            cut = _undecided(held)
            yield held[:cut]
            held = held[cut:]
        if licence := _LICENCE.search(held):
            book = held[: licence.start()].rstrip() + "\n"
            self.removed += len(held) - len(book) + sum(map(len, pieces))
            held = book
        yield held

    def _without_header(self, pieces: Iterator[str]) -> str:
        head = ""
        for piece in pieces:
            head += piece
            if len(head) >= _LONGEST_HEADER:
                break
        ends = [match.end() for match in _HEADER.finditer(head, 0, _LONGEST_HEADER)]
        if not ends:
            return head
        credit = _CREDITS.match(head, ends[-1])
        book = head[credit.end() if credit else ends[-1] :].lstrip("\n")
        self.removed += len(head) - len(book)
        return book


def _undecided(text: str) -> int:
    """Where what may be the beginning of the licence starts: white space and less than a line at the end."""
    newline = text.rfind("\n")
    if newline < 0 or len(text) - newline > _LONGEST_MATCH:
        return len(text)
    start = len(text[:newline].rstrip())
    return start if newline - start < _MOST_HELD else newline
