"""The work of ingest: source in, corpus out, in memory that does not grow with the source."""

import itertools
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

from components.artifacts import storage
from components.artifacts.documents import DOCUMENTS_NAME, END, TEXT_NAME
from components.artifacts.errors import SourceError, UsageError
from components.artifacts.manifest import write_manifest
from components.command import log
from components.ingest.config import IngestConfig
from components.ingest.documents import DocumentWriter, ended_by_blank_lines
from components.ingest.doubts import judge, warn_of_control_characters, warn_of_kind
from components.ingest.formats import HEAD_CHARACTERS, Format, format_of, settled
from components.ingest.gates import check_gates, refuse_without_champion
from components.ingest.gutenberg import Book
from components.ingest.messages import hold_users_against, messages
from components.ingest.report import write_report
from components.ingest.source import SourceFile, check_unchanged, name_of, one_line_of, opened, sha256_of
from components.ingest.statistics import KEPT_OF_A_LINE, CorpusStatistics, Distinct
from components.ingest.text import Decoder, beginning, clean, cleaned

REPORT_NAME = "report.html"


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
        documents = _write_text(directory, sources, config, statistics)
        hold_users_against(statistics.users, config, reported)
        if config.strip_gutenberg and not statistics.stripped:
            raise SourceError(
                f"{reported}: has no header or licence of Project Gutenberg; leave ingest.strip_gutenberg at no"
            )
        if not statistics.characters:
            raise SourceError(f"{reported}: contains no text" + _after_filters(config))
        warn_of_control_characters(statistics, reported, config)
        check_gates(statistics, reported, config, champion)
        check_unchanged(source, source_digest, config)
        write_report(directory / REPORT_NAME, name, statistics)
        counts = {**_counts(directory, statistics), **({"documents": documents} if documents else {})}
        write_manifest(
            directory,
            kind="corpus",
            stage="ingest",
            config={"source": name, **config.model_dump(mode="json")},
            counts=counts,
            made_from={"source": sha256_of(sources)},
        )
    log.info(_summary(reported if len(sources) == 1 else f"{len(sources):,} files", counts, statistics.stripped))
    return {"corpus": corpus, "counts": counts}


def _summary(source: str, counts: Mapping[str, int], stripped: int) -> str:
    """What was read, in one line; `stripped` characters of Project Gutenberg's were left out."""
    optional = {
        f"{counts.get('documents', 0):,} documents": counts.get("documents"),
        f"{counts['replaced']:,} replaced by U+FFFD": counts["replaced"],
        f"{stripped:,} of Project Gutenberg's header and licence left out": stripped,
    }
    figures = [f"{counts['characters']:,} characters", f"{counts['distinct_characters']} distinct"]
    return f"{source}: {', '.join([*figures, *(words for words, count in optional.items() if count)])}"


def _write_text(directory: Path, sources: list[SourceFile], config: IngestConfig, statistics: CorpusStatistics) -> int:
    """Write text.txt and, if the text consists of documents, documents.txt; return how many documents there are."""
    found = _format(sources, config)
    config = settled(config, found, sources[0].name)
    kind = config.documents_of(has_messages=found.has_messages)
    statistics.unit = "messages" if found.has_messages else "lines" if kind == "none" else "documents"
    pieces = _joined(sources, config, found, statistics, kind)
    with ExitStack() as stack:
        written = None
        if kind != "none":
            lengths = stack.enter_context((directory / DOCUMENTS_NAME).open("w", encoding="ascii", newline="\n"))
            written = DocumentWriter(lengths, statistics)
            pieces = written.pieces(ended_by_blank_lines(pieces) if kind == "blank_lines" else pieces)
        file = stack.enter_context((directory / TEXT_NAME).open("w", encoding="utf-8", newline="\n"))
        for piece in pieces:
            statistics.add_text(piece)
            file.write(piece)
    return written.count if written else 0


def _joined(
    sources: list[SourceFile], config: IngestConfig, found: Format, statistics: CorpusStatistics, documents: str
) -> Iterator[str]:
    """The corpus's text in pieces: documents, separated by END, or files by newlines and messages by spaces."""
    limit, read = _message_limit(sources, config, found), _Reading(config)
    between_files = END if documents != "none" else " " if found.has_messages else "\n"
    between = END if documents == "rows" else " "
    for one in sources:
        before = statistics.messages
        separator = between_files if statistics.characters else ""
        pieces = (
            _messages(one, config, found, statistics, limit, read, between)
            if found.has_messages
            else _text(one, config, statistics, read)
        )
        for piece in pieces:
            yield separator + piece
            separator = ""
        limit -= statistics.messages - before


def _format(sources: list[SourceFile], config: IngestConfig) -> Format:
    """The format of all files."""
    found = [format_of(one.kind_name, _head(one, config), config) for one in sources]
    for one, other in zip(sources, found, strict=True):
        if other is not found[0]:
            raise UsageError(
                f"{sources[0].name} and {one.name}: one is {found[0].label} and one {other.label}; set ingest.format, "
                "or name the files of one kind"
            )
    return found[0]


def _head(source: SourceFile, config: IngestConfig) -> str:
    """A file's first characters."""
    chunk = next(source.chunks(), b"") if config.format == "auto" else b""
    return beginning(chunk, config)[:HEAD_CHARACTERS]


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
    book = Book()
    pieces = warn_of_kind(decoder, source.name, config)
    pieces = book.pieces(pieces) if config.strip_gutenberg else pieces
    for piece in cleaned(pieces, lowercase=config.lowercase):
        *ended, rest = piece.split("\n")
        for end in ended:
            line, length = line + end, length + len(end)
            _count_line(line, length, statistics)
            line, length = "", 0
        line, length = (line + rest)[:KEPT_OF_A_LINE], length + len(rest)
        yield piece
    _count_line(line, length, statistics)
    statistics.stripped += book.removed
    statistics.replaced += decoder.replaced
    judge(decoder, source.name, config)


def _count_line(line: str, length: int, statistics: CorpusStatistics) -> None:
    """Count a line by its beginning and its length, if lines are counted and it is not blank."""
    if statistics.unit == "lines" and line.strip():
        statistics.add_message(line, length)


def _messages(
    source: SourceFile,
    config: IngestConfig,
    found: Format,
    statistics: CorpusStatistics,
    limit: int,
    read: _Reading,
    between: str,
) -> Iterator[str]:
    """At most `limit` of a file's kept messages, cleaned, with `between` between them."""
    decoder = Decoder(read.of(source), source.name, config)
    kept = messages(found.records(decoder, source.kind_name), config, statistics.users)
    separator = ""
    for message in itertools.islice(kept, limit):
        text = clean(message, lowercase=config.lowercase)
        statistics.add_message(text)
        yield separator + text
        separator = between
    for _ in kept:  # to the end, for the users' counts
        pass
    statistics.replaced += decoder.replaced
    judge(decoder, source.name, config)


def _message_limit(sources: list[SourceFile], config: IngestConfig, found: Format) -> int:
    """How many messages the first fraction is, rounded down; counting them takes an extra pass."""
    if config.first_fraction == 1:
        return sys.maxsize
    count, read = 0, _Reading(config)
    for one in sources:
        decoder = Decoder(read.of(one), one.name, config)
        count += sum(1 for _ in messages(found.records(decoder, one.kind_name), config))
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
