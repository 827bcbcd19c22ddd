"""Reads JSON value by value while its text streams by, so that memory holds one value at a time."""

import json
import re
from collections.abc import Iterator
from itertools import count
from typing import Any, NoReturn

from components.artifacts.errors import SourceError
from components.ingest.text import Decoder

LONGEST_VALUE = 1 << 24
"""The most characters of a value that is read as a whole, such as a message with all its fields."""
_BLANK = re.compile(r"\s*")
_LONGEST_WORD = 16
"""A word, number or escape that is cut off is an error at most this far from the end."""
_CUT_NUMBER = re.compile(r"\.|[eE][+-]?")
"""What is left of a number's end when the text ends within it."""
_KINDS = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}


class JsonReader:
    """Steps through JSON from left to right: each value is read as a whole, or entered with `items` or `members`."""

    def __init__(self, text: Decoder) -> None:
        self._decoder = json.JSONDecoder()
        self._source, self._pieces = text, iter(text)
        self._text, self._at = "", 0
        self._lines, self._counted = 1, 0  # the number of a line, and a place in it up to which lines are counted
        self._begins = 1  # the number of the line that the latest value begins in

    def peek(self) -> str:
        """The next character that is not white space; empty at the end."""
        while True:
            match = _BLANK.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def value(self) -> Any:
        """Read the next value.

        Raises:
            SourceError: it is malformed or too long.
        """
        self.peek()
        self._begins = self._lines = self._line_at(self._at)
        self._counted = self._at
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                self._read_on_or_refuse(error)
                continue
            except ValueError:
                self.refuse("a number has too many digits")
            except RecursionError:
                self.refuse("lists and objects are nested too deeply")
            # Of a number there may be more: of 1e+5 a decoder that sees 1e+ reads the 1.
            length = end - self._at
            if len(self._text) - end > len("e+") or not self._more():
                self._at += length
                if isinstance(value, int | float) and _CUT_NUMBER.fullmatch(self._text, self._at):
                    self.refuse("a number ends too early; is the file complete?")
                return value

    def values(self) -> Iterator[int]:
        """Stop at each of several values, as in JSON lines, and count them from 1; the caller reads them."""
        for number in count(1):
            if not self.peek():
                return
            yield number

    def items(self) -> Iterator[int]:
        """Stop at each item of the next value, a list, and count them from 1; the caller reads them."""
        self._take("[")
        if self.peek() == "]":
            self._take("]")
            return
        for number in count(1):
            yield number
            if self._take(",", "]") == "]":
                return

    def members(self) -> Iterator[str]:
        """Stop at each member of the next value, an object, and name it; the caller reads it."""
        self._take("{")
        if self.peek() == "}":
            self._take("}")
            return
        while True:
            name = self.value()
            if not isinstance(name, str):
                self.refuse("a member's name is not a text")
            self._take(":")
            yield name
            if self._take(",", "}") == "}":
                return

    def lists(self, name: str, depth: int = 8) -> Iterator[None]:
        """Stop at each list that is a member of this name, at most this deep; the caller enters it."""
        first = self.peek() if depth else ""
        if first == "{":
            for member in self.members():
                if member == name and self.peek() == "[":
                    yield
                else:
                    yield from self.lists(name, depth - 1)
        elif first == "[":
            for _ in self.items():
                yield from self.lists(name, depth - 1)
        else:
            self.value()

    def text(self, value: str) -> str:
        """A text of the latest value as it may be in a corpus.

        Raises:
            SourceError: it has an escaped NUL or half a surrogate pair, and such are not replaced.
        """
        return self._source.unescaped(value, f"line {self._begins:,}")

    def refuse(self, reason: str, line: int = 0) -> NoReturn:
        """Stop at malformed JSON in a line, by default that of the latest value.

        Raises:
            SourceError: always.
        """
        raise SourceError(f"{self._source.name}: malformed JSON at line {line or self._begins:,}: {reason}")

    def end(self) -> None:
        """Check that nothing follows.

        Raises:
            SourceError: something does.
        """
        if self.peek():
            self.refuse("text follows the end of the list", self._line_at(self._at))

    def _take(self, *expected: str) -> str:
        found = self.peek()
        if found not in expected or not found:
            what = f"not {found!r}" if found else "but the file ends; is it complete?"
            self.refuse(f"{' or '.join(expected)} is expected, {what}", self._line_at(self._at))
        self._at += 1
        return found

    def _read_on_or_refuse(self, error: json.JSONDecodeError) -> None:
        """Read more of a value if it may only have been cut."""
        line = self._line_at(error.pos)
        is_cut = error.msg.startswith("Unterminated") or error.pos + _LONGEST_WORD >= len(self._text)
        if not is_cut:
            self.refuse(error.msg, line)
        if len(self._text) - self._at > LONGEST_VALUE:
            self.refuse(f"a value of more than {LONGEST_VALUE:,} characters")
        if not self._more():
            self.refuse(f"{error.msg}; is the file complete?", line)

    def _more(self) -> bool:
        """Drop what was read, and double the rest at least; whether there was more."""
        rest = self._text[self._at :]
        self._lines, self._counted, self._at = self._line_at(self._at), 0, 0
        pieces, length = [], 0
        for piece in self._pieces:
            pieces.append(piece)
            length += len(piece)
            if length >= len(rest):
                break
        self._text = "".join([rest, *pieces])
        return bool(length)

    def _line_at(self, place: int) -> int:
        return self._lines + self._text.count("\n", self._counted, place)


def kind_of(value: Any) -> str:
    """What a value is, for people."""
    return _KINDS.get(type(value), "a number")
