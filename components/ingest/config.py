"""What ingest can be told."""

from typing import Literal, Self

from pydantic import field_validator, model_validator

from components.command.settings import Settings, setting


class IngestConfig(Settings):
    """How a source is read, filtered and cleaned."""

    format: Literal["auto", "text", "csv"] = setting(
        "auto", "what the source is; auto takes names that end in .csv or .csv.gz for CSV, the rest for text"
    )
    text_column: str = setting("text", "CSV: the column with the messages, as the header names it")
    user_column: str = setting("", "CSV: the column with the message's user, needed to keep or drop users")
    keep_users: tuple[str, ...] = setting((), "CSV: only these users' messages")
    drop_users: tuple[str, ...] = setting((), "CSV: all messages but these users'")
    first_fraction: float = setting(1.0, "CSV: the first part of the kept messages", unit="fraction", gt=0, le=1)
    delimiter: str = setting(",", "CSV: what separates the columns", unit="one character", min_length=1, max_length=1)
    lowercase: bool = setting(False, "turn the text into lower case")
    encoding: str = setting("utf-8", "the source's character encoding, by Python's name; a BOM is taken off")
    undecodable: Literal["error", "replace"] = setting(
        "error",
        "on bytes that are not text (NUL among them): stop and name file and offset, or put U+FFFD and count",
    )
    allow_private_hosts: bool = setting(False, "http(s): let the source be on a private, loopback or link-local host")
    maximum_bytes: int = setting(1 << 36, "the most that is read, after decompression", unit="bytes", ge=1)
    maximum_gzip_ratio: float = setting(
        200.0, "the most that gzip may expand before it is taken for a decompression bomb", unit="ratio", gt=1
    )

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        try:
            "".encode(name)
        except LookupError:
            raise ValueError("must be a character encoding that Python knows") from None
        return name

    @field_validator("delimiter")
    @classmethod
    def _usable_delimiter(cls, delimiter: str) -> str:
        if not delimiter.isascii() or delimiter in '"\r\n\0':
            raise ValueError("must be an ASCII character, and no quote, line end or NUL")
        return delimiter

    @model_validator(mode="after")
    def _users_need_their_column(self) -> Self:
        if (self.keep_users or self.drop_users) and not self.user_column:
            raise ValueError("keep_users and drop_users need user_column")
        return self
