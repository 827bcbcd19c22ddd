"""Rows of CSV, one at a time, without guessing.

Python's csv module reads fields strictly: text after a closing quotation mark, or a missing one, is an error. What
remains are fields that begin with a quotation mark but are not quoted. Such a field extends to the next mark, possibly
across other rows; see `_Suspicion`.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NoReturn

from components.artifacts.errors import SourceError
from components.command.settings import nearest, shown
from components.ingest.config import IngestConfig
from components.ingest.text import Decoder
from components.ingest.text import lines as text_lines

LONGEST_ROW = 1 << 24
"""The most characters of a line, and of a row over several lines."""
MOST_COLUMNS = 1 << 14
MANY_LINES = 10
REMEMBERED = 10_000
_OTHER_DELIMITERS = {",": ",", ";": ";", "\t": "tab", "|": "|"}
_SEPARATOR_LINE = re.compile(r'"?sep=(?P<delimiter>[^"\r\n])"?', re.IGNORECASE)
_DIGITS = re.compile(r"\d+")
_QUOTING_NONE = "if quotation marks are part of the text here, set ingest.quoting=none"


def records(text: Decoder, name: str) -> Iterator[list[str]]:
    """The text and, if the settings name its column, the user of each row of the file `name`."""
    by_tabs = unpacked(name).endswith((".tsv", ".tab"))
    return rows(text, text.name, text.config, text.config.columns, by_tabs=by_tabs)


def rows(
    pieces: Iterable[str], name: str, config: IngestConfig, columns: Iterable[str], *, by_tabs: bool = False
) -> Iterator[list[str]]:
    """The fields of some columns, in the order of `columns`, of each row that is not blank.

    Args:
        pieces: the decoded text, with newlines as line ends.
        name: the source's name, for errors.
        config: how the text is cut into rows and columns.
        columns: their names in the header or, without a header, their numbers from 1.
        by_tabs: whether a tab separates the columns by default.

    Raises:
        SourceError: the header lacks a column, or a row is malformed or looks like several rows.
    """
    file = _File(pieces, name, config, by_tabs=by_tabs)
    first = next(file, None)
    if first is None:
        raise SourceError(f"{name}: empty, without even a CSV header")
    if len(first) > MOST_COLUMNS:
        file.refuse(f"the first row has {len(first):,} columns, more than {MOST_COLUMNS:,}; is it CSV?")
    places = file.places(first, list(columns))
    suspicion = _Suspicion(file, len(first), places) if config.quoting == "auto" and len(first) > 1 else None
    if not config.header:
        yield [first[place] for place in places]
    for row in file:
        if len(row) > len(first):
            file.refuse(f"line {file.begins} has {len(row)} fields, the first row {len(first)}")
        if len(row) <= max(places):
            file.refuse(
                f"line {file.begins} has {len(row)} of {len(first)} fields; is a line end in its text unquoted?"
            )
        if suspicion:
            suspicion.look_at(row)
        yield [row[place] for place in places]


class _File(Iterator[list[str]]):
    """The rows of a file that are not blank; `lines` are the current row's, `begins` is its first line's number."""

    def __init__(self, pieces: Iterable[str], name: str, config: IngestConfig, *, by_tabs: bool) -> None:
        self.name, self.config, self._by_tabs = name, config, by_tabs
        self.lines: list[str] = []
        self.begins = 0
        self._characters = 0
        self._ended = 0
        lines = text_lines(pieces, LONGEST_ROW)
        first = next(lines, "")
        self.delimiter = self._delimiter(_SEPARATOR_LINE.fullmatch(first.strip()))
        if _SEPARATOR_LINE.fullmatch(first.strip()):
            self._ended, first = 1, next(lines, "")
        csv.field_size_limit(LONGEST_ROW)
        self._reader = csv.reader(
            self._kept(first, lines),
            delimiter=self.delimiter,
            quoting=csv.QUOTE_NONE if config.quoting == "none" else csv.QUOTE_MINIMAL,
            strict=True,
        )

    def __next__(self) -> list[str]:
        while True:
            self._ended += len(self.lines)
            self.lines, self.begins, self._characters = [], self._ended + 1, 0
            try:
                row = next(self._reader)
            except csv.Error as error:
                self._explain(str(error))
            if row and (len(row) > 1 or row[0].strip()):
                return row

    def places(self, first: list[str], columns: list[str]) -> list[int]:
        """The columns' indices, from the first row."""
        if not self.config.header:
            for number in columns:
                if int(number) > len(first):
                    self.refuse(f"there is no column {number}, the first row has {len(first)}")
            return [int(number) - 1 for number in columns]
        header = [column.strip() for column in first]
        for column in columns:
            if column not in header:
                raise SourceError(f"{self.name}: {self._lacks(column, header)}")
            if header.count(column) > 1:
                raise SourceError(
                    f"{self.name}: the header has the column {shown(column)} {header.count(column)} times"
                )
        return [header.index(column) for column in columns]

    def refuse(self, reason: str) -> NoReturn:
        """Stop at a malformed row.

        Raises:
            SourceError: always.
        """
        raise SourceError(f"{self.name}: malformed CSV: {reason}")

    def _delimiter(self, said: re.Match[str] | None) -> str:
        set_, by_name = self.config.delimiter, "\t" if self._by_tabs else ","
        if said and set_ not in {"auto", said["delimiter"]}:
            raise SourceError(
                f"{self.name}: its first line says {said[0]!r}, but ingest.delimiter is {set_!r}; leave that at auto"
            )
        return said["delimiter"] if said else by_name if set_ == "auto" else set_

    def _kept(self, first: str, others: Iterator[str]) -> Iterator[str]:
        for line in chain([first] * bool(first), others):
            self.lines.append(line)
            self._characters += len(line)
            if self._characters > LONGEST_ROW:
                self._too_long()
            yield line

    def _explain(self, said: str) -> NoReturn:
        number = self.begins + max(len(self.lines) - 1, 0)
        if "expected after" in said:
            inside = "double the quotation marks inside quoted fields"
            self.refuse(
                f"text follows the quotation mark at line {number} that ends the field from line {self.begins}; "
                f"{_QUOTING_NONE}, else {inside}"
            )
        if "unexpected end" in said:
            self.refuse(f"the quoted field from line {self.begins} never ends; {_QUOTING_NONE}")
        self._too_long()

    def _too_long(self) -> NoReturn:
        self.refuse(f"line {self._ended + 1} begins a row of more than {LONGEST_ROW:,} characters; is it CSV?")

    def _lacks(self, column: str, header: list[str]) -> str:
        others = [other for other in _OTHER_DELIMITERS if other != self.delimiter and other in header[0]]
        if len(header) == 1 and others:
            found = max(others, key=lambda other: (column in header[0].split(other), header[0].count(other)))
            return f"the header is one column, {header[0]!r}; set ingest.delimiter={_OTHER_DELIMITERS[found]}"
        hint = "; for a file without a header set ingest.header=false" if column.isdecimal() else ""
        return f"the header has no column {column!r}; {nearest(column, header)}{hint}"


class _Suspicion:
    """Whether a field swallowed rows: it extends across lines each of which could be a row.

    Such lines have as many fields as rows, and a value that rows have too in the column that identifies them (the
    user's, or else the first that is not the text). A line may come before the row that reveals it, so lines are
    remembered. Many such lines need no further evidence.
    """

    def __init__(self, file: _File, width: int, places: list[int]) -> None:
        self._file, self._width = file, width
        text, *user = places
        self._key = user[0] if user else int(text == 0)
        self._known: set[str] = set()
        self._lines: dict[
            str, int
        ] = {}  # that column's value in lines that could be rows, and where their field begins

    def look_at(self, row: list[str]) -> None:
        """Record the current row.

        Raises:
            SourceError: it, or an earlier one, looks like several.
        """
        file = self._file
        if len(row) > self._key and len(self._known) < REMEMBERED:
            self._known.add(_form(row[self._key]))
        if len(file.lines) == 1:
            if self._lines and len(row) > self._key and (begins := self._lines.get(_form(row[self._key]))):
                self._refuse(begins)
            return
        fields = [line.rstrip("\n").split(file.delimiter) for line in self._others(row) if line.strip()]
        alike = [_form(parts[self._key]) for parts in fields if len(parts) == self._width]
        if len(alike) * 2 < len(fields) or not alike:
            return
        many = len(fields) >= MANY_LINES and len(alike) * 10 >= len(fields) * 9
        if many or not self._known.isdisjoint(alike):
            self._refuse(file.begins)
        if len(self._lines) < REMEMBERED:
            self._lines |= dict.fromkeys(alike, file.begins)

    def _others(self, row: list[str]) -> list[str]:
        """The lines of the current row, except the one with the row's own key."""
        long = [place for place, field in enumerate(row) if "\n" in field]
        if self._key < long[0]:
            return self._file.lines[1:]
        return self._file.lines[:-1] if self._key > long[-1] else self._file.lines[1:-1]

    def _refuse(self, begins: int) -> NoReturn:
        self._file.refuse(
            f"the quoted field from line {begins} extends across lines that look like rows; "
            f"{_QUOTING_NONE}; if they are one field, set ingest.quoting=standard"
        )


def is_csv(name: str, _head: str) -> bool:
    """Whether a file's name, without a compression's ending, is that of CSV."""
    return name.endswith((".csv", ".tsv", ".tab"))


def unpacked(name: str) -> str:
    """A file's name in lowercase, without a compression's ending."""
    lower = name.lower()
    return next((lower.removesuffix(end) for end in (".gz", ".bz2", ".xz", ".zip") if lower.endswith(end)), lower)


def _form(value: str) -> str:
    """What identifies a row: a name, or the form of a number or time."""
    return _DIGITS.sub("0", value.strip().strip('"'))
