"""What makes a text doubtful: another encoding, another format, control characters."""

import codecs
import itertools
from collections.abc import Iterable, Iterator

from components.artifacts.errors import SourceError
from components.command import log
from components.ingest.config import IngestConfig
from components.ingest.formats import hint
from components.ingest.statistics import CorpusStatistics
from components.ingest.text import MOST_REPLACED, Decoder

_C1 = slice(0x80, 0xA0)


def judge(decoder: Decoder, name: str, config: IngestConfig) -> None:
    """Reject text that is in another encoding, or not text, and warn about doubtful text."""
    if decoder.replaced > decoder.characters * MOST_REPLACED:
        raise SourceError(
            f"{name}: {decoder.replaced:,} of {decoder.characters:,} characters are not {config.encoding}, more than "
            "1 %; set ingest.encoding to the one the text is in"
        )
    if decoder.is_utf_8_too:
        log.warning(f"{name}: is also valid UTF-8, so ingest.encoding={config.encoding} is probably wrong")


def warn_of_kind(pieces: Iterable[str], name: str, config: IngestConfig) -> Iterator[str]:
    """The pieces of a text, with a warning if it begins like something else."""
    pieces = iter(pieces)
    for first in itertools.islice(pieces, 1):
        if what := hint(first, config):
            log.warning(f"{name}: {what}")
        yield first
    yield from pieces


def warn_of_control_characters(statistics: CorpusStatistics, name: str, config: IngestConfig) -> None:
    """Warn about control characters at code points where cp1252 has quotation marks and dashes."""
    count = int(statistics.by_code_point[_C1].sum())
    if count:
        now = (
            "" if codecs.lookup(config.encoding).name.startswith("utf") else f", not ingest.encoding={config.encoding}"
        )
        log.warning(f"{name}: {count:,} control characters from U+0080 to U+009F; the text was probably cp1252{now}")
