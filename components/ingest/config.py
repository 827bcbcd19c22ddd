"""What ingest can be told."""

from typing import Any, ClassVar, Literal, Self

from pydantic import field_validator, model_validator

from components.command.settings import Only, Settings, setting

OF_CSV = ("text_column", "user_column", "keep_users", "drop_users", "first_fraction", "delimiter", "quoting", "header")
"""Settings that have a part only in what is read as CSV."""


class IngestConfig(Settings):
    """How a source is read, filtered and cleaned."""

    only: ClassVar[tuple[Only, ...]] = (
        Only(
            names=OF_CSV,
            decided_by=("format",),
            where="format=csv",
            holds=lambda config: config.format != "text",
            binds=True,
        ),
    )

    format: Literal["auto", "text", "csv"] = setting(
        "auto",
        "what the source is; auto takes names that end in .csv, .tsv or .tab (packed too) for CSV, the rest for text",
    )
    text_column: str = setting(
        "text", "CSV: the column with the messages, as the header names it; without a header its number, from 1"
    )
    user_column: str = setting(
        "", "CSV: the column with the message's user, named as text_column; needed to keep or drop users"
    )
    keep_users: tuple[str, ...] = setting((), "CSV: only these users' messages")
    drop_users: tuple[str, ...] = setting((), "CSV: all messages but these users'")
    first_fraction: float = setting(1.0, "CSV: the first part of the kept messages", unit="fraction", gt=0, le=1)
    delimiter: str = setting(
        "auto",
        "CSV: what separates the columns: a character, or tab; auto takes what the file's line sep= says, else a tab "
        "for .tsv and .tab and a comma for the rest",
    )
    quoting: Literal["auto", "standard", "none"] = setting(
        "auto",
        "CSV: what a quotation mark at a field's beginning means: standard lets the field go on to the mark that ends "
        "it, over delimiters and lines; none takes it for text; auto is standard, but stops where a field goes on over "
        "what look like rows",
    )
    header: bool = setting(True, "CSV: the first row names the columns")
    lowercase: bool = setting(False, "turn the text into lower case")
    encoding: str = setting(
        "utf-8",
        "the source's character encoding, by Python's name; a byte order mark says it where it is left at utf-8",
    )
    undecodable: Literal["error", "replace"] = setting(
        "error",
        "on bytes that are not text (NUL among them): stop and name file and offset, or put U+FFFD and count, "
        "as long as that is at most 1 % of the characters",
    )
    allow_private_hosts: bool = setting(False, "http(s): let the source be on a private, loopback or link-local host")
    maximum_bytes: int = setting(1 << 36, "the most that is read, after decompression", unit="bytes", ge=1)
    maximum_gzip_ratio: float = setting(
        200.0, "the most that gzip, bzip2, xz and zip may expand before it is taken for a bomb", unit="ratio", gt=1
    )

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        try:
            "".encode(name)
        except LookupError:
            raise ValueError("must be a character encoding that Python knows") from None
        return name

    @field_validator("delimiter", mode="before")
    @classmethod
    def _usable_delimiter(cls, delimiter: Any) -> Any:
        if delimiter in {"tab", "\\t"}:
            return "\t"
        usable = isinstance(delimiter, str) and len(delimiter) == 1 and delimiter.isascii()
        if delimiter != "auto" and (not usable or delimiter in '"\r\n\0'):
            raise ValueError("must be one ASCII character, tab or auto, and no quote, line end or NUL")
        return delimiter

    @model_validator(mode="after")
    def _users_need_their_column(self) -> Self:
        if (self.keep_users or self.drop_users) and not self.user_column:
            raise ValueError("keep_users and drop_users need user_column")
        return self

    @model_validator(mode="after")
    def _columns_have_names_or_numbers(self) -> Self:
        columns = [name for name in (self.text_column, self.user_column) if name]
        if not self.header and not all(name.isdecimal() and int(name) for name in columns):
            raise ValueError("without a header text_column and user_column are the columns' numbers, counted from 1")
        return self
