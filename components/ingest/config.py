"""The settings of ingest."""

from typing import Any, ClassVar, Literal, Self

from pydantic import field_validator, model_validator

from components.command.settings import Only, Settings, setting

CHATS = ("whatsapp", "telegram")
"""The formats whose messages and users need not be named."""
COMPARED = ("shrinks_at_most", "new_characters_at_most")
"""Gates that compare the text with the champion's corpus."""


class IngestConfig(Settings):
    """How a source is read, filtered and cleaned."""

    only: ClassVar[tuple[Only, ...]] = (
        Only(
            names=("text_column", "user_column", "keep_users", "drop_users", "first_fraction"),
            decided_by=("format",),
            where="a format that has messages: csv, json, whatsapp or telegram",
            holds=lambda config: config.format != "text",
            binds=True,
        ),
        Only(
            names=("delimiter", "quoting", "header"),
            decided_by=("format",),
            where="format=csv",
            holds=lambda config: config.format in {"auto", "csv"},
        ),
        Only(
            names=("strip_gutenberg",),
            decided_by=("format",),
            where="format=text",
            holds=lambda config: config.format in {"auto", "text"},
        ),
    )

    format: Literal["auto", "text", "csv", "json", "whatsapp", "telegram"] = setting(
        "auto",
        "the source's format; auto goes by the file's name, also where it is compressed: .csv, .tsv and .tab are CSV, "
        ".json, .jsonl and .ndjson JSON, exports of WhatsApp and Telegram are known by how they begin too, and others "
        "are text",
    )
    text_column: str = setting(
        "text",
        "CSV: the column with the messages, by its name in the header or, without a header, its number from 1; JSON: "
        "the field with a record's message, by its path, such as message.text",
    )
    user_column: str = setting(
        "",
        "CSV, JSON: the column or field with the message's user, given like text_column; required there to keep or "
        "drop users",
    )
    keep_users: tuple[str, ...] = setting((), "CSV, JSON, chats: keep only these users' messages")
    drop_users: tuple[str, ...] = setting((), "CSV, JSON, chats: drop these users' messages")
    documents: Literal["auto", "rows", "files", "blank_lines", "none"] = setting(
        "auto",
        "what a document is, a text with a beginning and an end: a row (a message or record of CSV, JSON or a chat), a "
        "file, or plain text up to a blank line; none reads the text as one stream; auto is none for plain text, and "
        "rows for others",
    )
    first_fraction: float = setting(
        1.0, "CSV, JSON, chats: use only this first fraction of the kept messages", unit="fraction", gt=0, le=1
    )
    delimiter: str = setting(
        "auto",
        "CSV: the character between columns, or tab; auto uses the file's sep= line, or else a tab for .tsv and .tab "
        "and a comma for others",
    )
    quoting: Literal["auto", "standard", "none"] = setting(
        "auto",
        "CSV: a quotation mark at the beginning of a field: standard reads the field up to the closing mark, across "
        "delimiters and lines; none reads the mark as text; auto is standard, but an error if a field extends across "
        "lines that look like rows",
    )
    header: bool = setting(True, "CSV: the first row holds the columns' names")
    strip_gutenberg: bool = setting(
        False, "plain text: leave out the header and the licence that Project Gutenberg puts around its books"
    )
    lowercase: bool = setting(False, "convert the text to lowercase")
    encoding: str = setting(
        "utf-8",
        "the source's character encoding, by Python's name; a byte order mark overrides the default",
    )
    undecodable: Literal["error", "replace"] = setting(
        "error",
        "on bytes that are not text (including NUL): stop and name the file and offset, or replace them by U+FFFD and "
        "count them, up to 1 % of the characters",
    )
    allow_private_hosts: bool = setting(False, "http(s): allow a source on a private, loopback or link-local host")
    maximum_bytes: int = setting(1 << 36, "the most that may be read, after decompression", unit="bytes", ge=1)
    maximum_gzip_ratio: float = setting(
        200.0,
        "the factor by which gzip, bzip2, xz and zip may expand before they count as a decompression bomb",
        unit="ratio",
        gt=1,
    )
    minimum_characters: int = setting(
        0, "gate: fail if the corpus has fewer; 0 for any number", unit="characters", ge=0
    )
    shrinks_at_most: float = setting(
        1.0,
        "gate: fail if the corpus is smaller than the champion's by more than this; 1 for any size",
        unit="fraction",
        ge=0,
        le=1,
    )
    new_characters_at_most: float = setting(
        1.0,
        "gate: fail if more than this share of the characters never occurs in the champion's corpus; 1 for any",
        unit="fraction",
        ge=0,
        le=1,
    )
    repeats_at_most: float = setting(
        1.0,
        "gate: fail if more than this share of the lines (or messages, or documents) repeats an earlier one; blank "
        "lines don't count; 1 for any",
        unit="fraction",
        ge=0,
        le=1,
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
    def _the_format_has_such_documents(self) -> Self:
        if self.format != "auto":
            self.documents_of(has_messages=self.format != "text")
        return self

    @model_validator(mode="after")
    def _users_need_their_column(self) -> Self:
        in_a_column = self.format in {"csv", "json"}
        if in_a_column and (self.keep_users or self.drop_users) and not self.user_column:
            raise ValueError("keep_users and drop_users need user_column")
        return self

    @model_validator(mode="after")
    def _chats_have_their_columns(self) -> Self:
        if self.format in CHATS and (self.text_column != "text" or self.user_column not in {"", "user"}):
            raise ValueError(f"text_column and user_column are for CSV and JSON; format={self.format} knows its own")
        return self

    @model_validator(mode="after")
    def _columns_have_names_or_numbers(self) -> Self:
        columns = [name for name in (self.text_column, self.user_column) if name]
        if not self.header and not all(name.isdecimal() and int(name) for name in columns):
            raise ValueError("without a header, text_column and user_column are column numbers, counted from 1")
        return self

    @property
    def columns(self) -> list[str]:
        """The columns or fields to read: the messages' and, if it is set, the users'."""
        return [self.text_column, *filter(None, [self.user_column])]

    def documents_of(self, *, has_messages: bool) -> Literal["rows", "files", "blank_lines", "none"]:
        """What a document is in a format with messages, or in plain text.

        Raises:
            ValueError: the format has no documents of the kind that is set.
        """
        if self.documents == "auto":
            return "rows" if has_messages else "none"
        if has_messages and self.documents == "blank_lines":
            raise ValueError(
                "documents=blank_lines is for plain text, and these are messages; set documents=rows, files or none"
            )
        if self.documents == "rows" and not has_messages:
            raise ValueError(
                "documents=rows is for messages, and this is plain text; set documents=files, blank_lines or none, or "
                "ingest.format if it is of another"
            )
        return self.documents
