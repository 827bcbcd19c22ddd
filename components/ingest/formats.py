"""The table of formats: how each is recognized, and what reads it."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from components.artifacts.errors import UsageError
from components.ingest import gutenberg, json_records, rows, telegram, whatsapp
from components.ingest.config import IngestConfig
from components.ingest.kinds import markup_of
from components.ingest.text import Decoder

HEAD_CHARACTERS = 1 << 12


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format of sources.

    Attributes:
        name: as `ingest.format` has it.
        label: its name for people.
        is_one: whether a file is of this format, by its name (in lowercase, without a compression's ending) and its
            first HEAD_CHARACTERS.
        records: the messages of a decoded text, given the file's name too: each one's text and, if known, its user.
        exported: the name in an archive of the file that is the export itself, if there are others, such as photos.
    """

    name: str
    label: str
    is_one: Callable[[str, str], bool]
    records: Callable[[Decoder, str], Iterator[Sequence[str]]]
    exported: re.Pattern[str] | None = None

    @property
    def has_messages(self) -> bool:
        """Whether a text of this format is messages, not plain text."""
        return self is not TEXT


TEXT = Format(name="text", label="plain text", is_one=lambda _name, _head: True, records=lambda _text, _name: iter(()))
FORMATS = (
    Format(
        name="whatsapp",
        label="a WhatsApp export",
        is_one=whatsapp.is_whatsapp,
        records=whatsapp.records,
        exported=whatsapp.EXPORTED,
    ),
    Format(
        name="telegram",
        label="a Telegram export",
        is_one=telegram.is_telegram,
        records=telegram.records,
        exported=telegram.EXPORTED,
    ),
    Format(name="csv", label="CSV", is_one=rows.is_csv, records=rows.records),
    Format(name="json", label="JSON", is_one=json_records.is_json, records=json_records.records),
    TEXT,
)
"""The first that a file is of counts, if none is set."""


def format_of(name: str, head: str, config: IngestConfig) -> Format:
    """The format of a file: the one set or, by its name and its first characters, the one recognized."""
    name = rows.unpacked(name)
    return next(
        one for one in FORMATS if config.format == one.name or (config.format == "auto" and one.is_one(name, head))
    )


def settled(config: IngestConfig, found: Format, name: str) -> IngestConfig:
    """The settings with the format found for the file `name`.

    Raises:
        UsageError: some have no effect for it, rather than being ignored, or others are missing.
    """
    known = config.model_copy(update={"format": found.name})
    idle = [setting for rule in config.only if not rule.holds(known) for setting in config.set_among(rule.names)]
    if idle:
        raise UsageError(
            f"ingest: {name} is read as {found.label}, where {', '.join(idle)} would have no effect; set "
            "ingest.format if it is of another, or leave that out"
        )
    return IngestConfig.parse(known.model_dump(), "ingest")


def exports(names: Sequence[str]) -> list[str]:
    """The files of an archive that are exports themselves, by their names; the others may be photos."""
    return [name for name in names if any(one.exported and one.exported.search(name) for one in FORMATS)]


def hint(first: str, config: IngestConfig) -> str:
    """What to do about a text, read as plain text, that begins with `first` like something else; or empty."""
    if whatsapp.looks_like_whatsapp(first[:HEAD_CHARACTERS]):
        return "looks like a WhatsApp export, whose times will be learned as text; set ingest.format=whatsapp"
    if telegram.looks_like_telegram(first):
        return "looks like a Telegram export, whose markup will be learned as text; set ingest.format=telegram"
    if markup := markup_of(first):
        todo = "set ingest.format=json, or extract" if markup == "JSON" else "extract"
        return f"looks like {markup}, whose markup will be learned as text; {todo} the text first"
    if gutenberg.has_header(first) and not config.strip_gutenberg:
        return "has Project Gutenberg's header, which will be learned as text; set ingest.strip_gutenberg=true"
    return ""
