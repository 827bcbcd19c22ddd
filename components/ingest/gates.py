"""The gates: a text that crosses a limit fails here, before a GPU trains on it."""

from pathlib import Path

import numpy as np

from components.artifacts import storage
from components.artifacts.champion import read_if_any
from components.artifacts.documents import TEXT_NAME
from components.artifacts.errors import SourceError, UsageError
from components.artifacts.finding import Artifact
from components.artifacts.lineage import lineage
from components.command import log
from components.ingest.config import COMPARED, IngestConfig
from components.ingest.statistics import CorpusStatistics

_CHUNK_CHARACTERS = 1 << 20
_EXAMPLES = 5


def refuse_without_champion(config: IngestConfig, champion: str) -> None:
    """Reject gates that compare the text with a champion's corpus if there can be no champion.

    Raises:
        UsageError: there is such a gate.
    """
    if not champion and (given := config.set_among(COMPARED)):
        raise UsageError(
            f"ingest: {', '.join(given)} need a champion to compare with: an environment with cluster.champion; or "
            "set them to 1"
        )


def check_gates(statistics: CorpusStatistics, name: str, config: IngestConfig, champion: str) -> None:
    """Check a corpus, counted in `statistics`, against the gates; errors call its source `name`.

    Raises:
        SourceError: it crosses limits; the figures, and the settings to raise or lower.
        StorageError: the champion's corpus can't be read.
    """
    crossed = []
    if (characters := statistics.characters) < config.minimum_characters:
        crossed.append(
            f"{characters:,} characters are fewer than ingest.minimum_characters={config.minimum_characters}"
        )
    if statistics.repeats > config.repeats_at_most:
        crossed.append(
            f"{statistics.repeats:.1%} of {statistics.messages:,} {statistics.unit} repeat an earlier one, more than "
            f"ingest.repeats_at_most={config.repeats_at_most:g}"
        )
    if config.set_among(COMPARED) and (former := _corpus_of(champion)) is not None:
        crossed += _compared(statistics, config, former)
    if crossed:
        raise SourceError(
            f"{name}: {'; '.join(crossed)}; nothing is trained on it: check the text, or change the setting if it "
            "is as intended"
        )


def _compared(statistics: CorpusStatistics, config: IngestConfig, former: Artifact) -> list[str]:
    """The limits that a corpus crosses when it is compared with the champion's."""
    crossed, characters, before = [], statistics.characters, former.manifest.counts["characters"]
    if before * (1 - config.shrinks_at_most) > characters:
        crossed.append(
            f"{characters:,} characters are {1 - characters / before:.1%} fewer than the {before:,} of the champion's "
            f"corpus, more than ingest.shrinks_at_most={config.shrinks_at_most:g}"
        )
    if config.new_characters_at_most < 1:
        with storage.incoming(str(former.place), "corpus", log.transferred) as directory:
            known = _characters_of(directory / TEXT_NAME)
        counts = np.where(known.by_code_point, 0, statistics.by_code_point)
        if (new := int(counts.sum())) > config.new_characters_at_most * characters:
            shown = " ".join(f"U+{point:04X}" for point in np.argsort(-counts)[:_EXAMPLES] if counts[point])
            crossed.append(
                f"{new / characters:.1%} of its characters never occur in the champion's corpus (such as {shown}), "
                f"more than ingest.new_characters_at_most={config.new_characters_at_most:g}"
            )
    return crossed


def _corpus_of(champion: str) -> Artifact | None:
    """The corpus that the champion was trained on; None, with a line that says so, if there is none."""
    pointer = read_if_any(champion)
    if pointer is None:
        log.info(f"{champion}: no champion yet, so the text is not compared with its corpus")
        return None
    found = lineage(pointer.model).get("corpus")
    if found is None:
        log.warning(f"{pointer.model}: the champion's corpus is gone, so the text is not compared with it")
    return found


def _characters_of(text: Path) -> CorpusStatistics:
    """The counts of a corpus's characters."""
    counted = CorpusStatistics()
    with text.open(encoding="utf-8", newline="") as file:
        while chunk := file.read(_CHUNK_CHARACTERS):
            counted.add_text(chunk)
    return counted
