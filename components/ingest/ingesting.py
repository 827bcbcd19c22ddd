"""The work of ingest: source in, corpus out, in memory that does not grow with the source."""

import codecs
import itertools
import sys
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from components.artifacts import storage
from components.artifacts.errors import SourceError, UsageError
from components.artifacts.manifest import write_manifest
from components.command import log
from components.ingest.config import OF_CSV, IngestConfig
from components.ingest.gates import TEXT_NAME, check_gates, refuse_without_champion
from components.ingest.kinds import markup_of
from components.ingest.messages import hold_users_against, messages
from components.ingest.report import write_report
from components.ingest.rows import is_by_tabs, is_csv
from components.ingest.source import SourceFile, check_unchanged, name_of, one_line_of, opened, sha256_of
from components.ingest.statistics import KEPT_OF_A_LINE, CorpusStatistics, Distinct
from components.ingest.text import MOST_REPLACED, Decoder, clean, cleaned

REPORT_NAME = "report.html"
_C1 = slice(0x80, 0xA0)


def ingest(
    config: IngestConfig, *, source: str, corpus: str, source_digest: str = "", champion: str = ""
) -> dict[str, Any]:
    """Read the text at the URI `source` and write it, cleaned, as the corpus at the URI `corpus`.

    `source_digest` is the digest of the source's bytes when the run began; if empty it is not checked. `champion` is
    the URI of the pointer to the model whose corpus gates compare the text with.

    Returns:
        The corpus's URI and its counts.

    Raises:
        SourceError: the source can't be fetched, decoded or parsed, holds no text, crosses a gate's limit, or has
            changed meanwhile.
        ArtifactError: the place `corpus` holds something else.
        UsageError: the source is inside the corpus's place, or the other way round; or a gate needs a champion.
    """
    refuse_without_champion(config, champion)
    for place in storage.places_of(source):
        storage.check_outputs({"--corpus": corpus}, {"--source": place})
    name, reported = name_of(source), one_line_of(source)
    with storage.outgoing(corpus, "corpus", log.transferred) as directory, opened(source, config) as sources:
        statistics = CorpusStatistics(distinct=Distinct() if config.repeats_at_most < 1 else None)
        with (directory / TEXT_NAME).open("w", encoding="utf-8", newline="\n") as file:
            for piece in _joined(sources, config, statistics):
                statistics.add_text(piece)
                file.write(piece)
        hold_users_against(statistics.users, config, reported)
        if not statistics.characters:
            raise SourceError(f"{reported}: contains no text" + _after_filters(config))
        _warn_of_control_characters(statistics, reported, config)
        check_gates(statistics, reported, config, champion)
        check_unchanged(source, source_digest, config)
        write_report(directory / REPORT_NAME, name, statistics)
        counts = _counts(directory, statistics)
        write_manifest(
            directory,
            kind="corpus",
            stage="ingest",
            config={"source": name, **config.model_dump(mode="json")},
            counts=counts,
            made_from={"source": sha256_of(sources)},
        )
    shown = reported if len(sources) == 1 else f"{len(sources):,} files"
    log.info(
        f"{shown}: {counts['characters']:,} characters, {counts['distinct_characters']} distinct"
        + (f", {counts['replaced']:,} replaced by U+FFFD" if counts["replaced"] else "")
    )
    return {"corpus": corpus, "counts": counts}


def _joined(sources: list[SourceFile], config: IngestConfig, statistics: CorpusStatistics) -> Iterator[str]:
    """The corpus's text in pieces: all files, separated by newlines, and messages, separated by spaces."""
    tables = [config.format == "csv" or (config.format == "auto" and is_csv(one.kind_name)) for one in sources]
    for is_table, one in zip(tables, sources, strict=True):
        if is_table != tables[0]:
            raise UsageError(
                f"{sources[0].name} and {one.name}: one is CSV and one plain text; set ingest.format, or name the "
                "files of one kind"
            )
        if not is_table:
            _refuse_settings_of_csv(config, one.name)
    if tables and tables[0]:
        statistics.unit = "messages"
    limit, read = _message_limit(sources, config) if tables[0] else 0, _Reading(config)
    for one in sources:
        before = statistics.messages
        separator = "" if not statistics.characters else " " if tables[0] else "\n"
        pieces = _messages(one, config, statistics, limit, read) if tables[0] else _text(one, config, statistics, read)
        for piece in pieces:
            yield separator + piece
            separator = ""
        limit -= statistics.messages - before


class _Reading:
    """How much of all files was read: shown as progress, and limited."""

    def __init__(self, config: IngestConfig) -> None:
        self._most, self._bytes, self._pace = config.maximum_bytes, 0, log.Pace()

    def of(self, source: SourceFile) -> Iterator[bytes]:
        """A file's chunks.

        Raises:
            SourceError: together with the previous files they exceed the limit.
        """
        for chunk in source.chunks():
            self._bytes += len(chunk)
            if self._bytes > self._most:
                raise SourceError(
                    f"{source.name}: with the previous files more than ingest.maximum_bytes ({self._most:,}) of text; "
                    "raise it if this is intended"
                )
            yield chunk
            self._pace.progress(f"{log.size(self._bytes)} read")


def _text(source: SourceFile, config: IngestConfig, statistics: CorpusStatistics, read: _Reading) -> Iterator[str]:
    """A file's text in pieces; its statistics are counted on the way."""
    decoder = Decoder(read.of(source), source.name, config)
    line, length = "", 0  # a line's beginning and its length so far: memory must not grow with the line
    for piece in cleaned(_warn_of_markup(decoder, source.name), lowercase=config.lowercase):
        *ended, rest = piece.split("\n")
        for end in ended:
            line, length = line + end, length + len(end)
            if line.strip():
                statistics.add_message(line, length)
            line, length = "", 0
        line, length = (line + rest)[:KEPT_OF_A_LINE], length + len(rest)
        yield piece
    if line.strip():
        statistics.add_message(line, length)
    statistics.replaced += decoder.replaced
    _judge(decoder, source.name, config)


def _messages(
    source: SourceFile, config: IngestConfig, statistics: CorpusStatistics, limit: int, read: _Reading
) -> Iterator[str]:
    """At most `limit` of a file's kept messages, cleaned, with one space between them."""
    decoder = Decoder(read.of(source), source.name, config)
    kept = messages(decoder, source.name, config, statistics.users, by_tabs=is_by_tabs(source.kind_name))
    separator = ""
    for message in itertools.islice(kept, limit):
        text = clean(message, lowercase=config.lowercase)
        statistics.add_message(text)
        yield separator + text
        separator = " "
    for _ in kept:  # to the end, for the users' counts
        pass
    statistics.replaced += decoder.replaced
    _judge(decoder, source.name, config)


def _refuse_settings_of_csv(config: IngestConfig, name: str) -> None:
    """Reject settings for messages if a source is read as plain text, rather than ignore them."""
    if given := config.set_among(OF_CSV):
        raise UsageError(
            f"ingest: {name} is read as plain text, where {', '.join(given)} would have no effect; set "
            "ingest.format=csv if it is CSV, or leave that out"
        )


def _judge(decoder: Decoder, name: str, config: IngestConfig) -> None:
    """Reject text that is in another encoding, or not text, and warn about doubtful text."""
    if decoder.replaced > decoder.characters * MOST_REPLACED:
        raise SourceError(
            f"{name}: {decoder.replaced:,} of {decoder.characters:,} characters are not {config.encoding}, more than "
            "1 %; set ingest.encoding to the one the text is in"
        )
    if decoder.is_utf_8_too:
        log.warning(f"{name}: is also valid UTF-8, so ingest.encoding={config.encoding} is probably wrong")


def _warn_of_markup(pieces: Iterable[str], name: str) -> Iterator[str]:
    """The pieces of a text, with a warning if it begins like markup."""
    pieces = iter(pieces)
    for first in itertools.islice(pieces, 1):
        if markup := markup_of(first):
            log.warning(f"{name}: looks like {markup}, whose markup will be learned as text; extract the text first")
        yield first
    yield from pieces


def _warn_of_control_characters(statistics: CorpusStatistics, name: str, config: IngestConfig) -> None:
    """Warn about control characters at code points where cp1252 has quotation marks and dashes."""
    count = int(statistics.by_code_point[_C1].sum())
    if count:
        now = (
            "" if codecs.lookup(config.encoding).name.startswith("utf") else f", not ingest.encoding={config.encoding}"
        )
        log.warning(f"{name}: {count:,} control characters from U+0080 to U+009F; the text was probably cp1252{now}")


def _message_limit(sources: list[SourceFile], config: IngestConfig) -> int:
    """How many messages the first fraction is, rounded down; counting them takes an extra pass."""
    if config.first_fraction == 1:
        return sys.maxsize
    count, read = 0, _Reading(config)
    for one in sources:
        decoder = Decoder(read.of(one), one.name, config)
        count += sum(1 for _ in messages(decoder, one.name, config, by_tabs=is_by_tabs(one.kind_name)))
    return int(Fraction(str(config.first_fraction)) * count)  # exact: in floats, 0.29 of 100 would be 28


def _after_filters(config: IngestConfig) -> str:
    filtered = config.keep_users or config.drop_users or config.first_fraction < 1
    return " after keep_users, drop_users and first_fraction" if filtered else ""


def _counts(directory: Path, statistics: CorpusStatistics) -> dict[str, int]:
    return {
        "characters": statistics.characters,
        "bytes": (directory / TEXT_NAME).stat().st_size,
        "distinct_characters": statistics.distinct_characters,
        statistics.unit: statistics.messages,
        "users": len(statistics.users),
        "replaced": statistics.replaced,
    }
