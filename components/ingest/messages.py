"""Messages from CSV: which rows count, in order, a chunk of rows at a time."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from components.artifacts.errors import SourceError
from components.command.settings import nearest
from components.ingest.config import IngestConfig

if TYPE_CHECKING:
    from pandas import DataFrame

ROWS_AT_ONCE = 10_000


class TextFile:
    """Pieces of text as the file object that pandas reads from."""

    def __init__(self, pieces: Iterable[str]) -> None:
        self._pieces = iter(pieces)
        self._rest = ""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        """One line, as pandas's sniffing may ask for."""
        while "\n" not in self._rest and (piece := next(self._pieces, "")):
            self._rest += piece
        line, newline, self._rest = self._rest.partition("\n")
        if not line and not newline:
            raise StopIteration
        return line + newline

    def read(self, size: int = -1) -> str:
        """At most `size` characters, all that is left without a size; empty at the end."""
        if size < 0:
            text, self._rest = self._rest + "".join(self._pieces), ""
            return text
        if not self._rest:
            self._rest = next(self._pieces, "")
        text, self._rest = self._rest[:size], self._rest[size:]
        return text


def messages(
    pieces: Iterable[str], name: str, config: IngestConfig, users: Counter[str] | None = None
) -> Iterator[list[str]]:
    """The kept messages of a CSV text in order, in lists; empty messages are left out.

    Args:
        pieces: the decoded text.
        name: the source's name, for errors.
        config: which columns and users.
        users: where given, every user's messages are counted here, kept or not.

    Raises:
        SourceError: the header lacks a column, or a row is malformed.
    """
    for rows in _rows(pieces, name, config):
        kept = rows
        if config.user_column:
            by_user = rows[config.user_column]
            if users is not None:
                users.update({str(user): count for user, count in by_user.value_counts().items()})
            if config.keep_users:
                kept = kept[kept[config.user_column].isin(config.keep_users)]
            if config.drop_users:
                kept = kept[~kept[config.user_column].isin(config.drop_users)]
        texts = kept[config.text_column]
        yield texts[texts.str.strip() != ""].tolist()


def first_messages(lists: Iterable[list[str]], limit: int) -> Iterator[str]:
    """At most the first `limit` messages, one by one."""
    left = limit
    for messages_ in lists:
        yield from messages_[:left]
        left -= min(left, len(messages_))
        if not left:
            return


def _rows(pieces: Iterable[str], name: str, config: IngestConfig) -> Iterator["DataFrame"]:
    import pandas as pd

    columns = {config.text_column, config.user_column} - {""}
    file: Any = TextFile(pieces)  # reads as pandas needs, though it is no whole file
    try:
        # Not usecols: with it pandas lets rows with too many fields pass.
        with pd.read_csv(file, sep=config.delimiter, dtype=str, na_filter=False, chunksize=ROWS_AT_ONCE) as chunks:
            for rows in chunks:
                _check_header(list(rows.columns), columns, name)
                if not isinstance(rows.index, pd.RangeIndex):  # pandas took the surplus for row names
                    raise SourceError(f"{name}: malformed CSV: the first row has more fields than the header")
                yield rows
    except pd.errors.EmptyDataError:
        raise SourceError(f"{name}: empty, not even a CSV header") from None
    except pd.errors.ParserError as error:
        reason = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        raise SourceError(f"{name}: malformed CSV: {reason}") from None


def _check_header(header: list[str], columns: set[str], name: str) -> None:
    for column in sorted(columns - set(header)):
        raise SourceError(f"{name}: the header has no column {column!r}; {nearest(column, header)}")
