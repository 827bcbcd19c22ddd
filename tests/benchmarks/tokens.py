"""Which tokens learn most in the same time: held-out bits per character of `default` with each kind of token.

The text is tinyshakespeare, or what TEXT names; each kind trains MINUTES, 3 by default. The same text is held out for
all but words, of which the last tenth of the words is. Too long for a short budget.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from components.artifacts.errors import UsageError
from tests.benchmarks.corpora import corpus
from tests.benchmarks.datasets import trained_by
from tests.benchmarks.measure import Budget, Figure

KINDS = {
    "characters": ("vectorize.tokens=characters",),
    "bytes": ("vectorize.tokens=bytes",),
    "bpe, 512": ("vectorize.tokens=bpe", "vectorize.vocabulary_size=512"),
    "bpe, 1,024": ("vectorize.tokens=bpe", "vectorize.vocabulary_size=1024"),
    "bpe, 4,096": ("vectorize.tokens=bpe", "vectorize.vocabulary_size=4096"),
    "words": ("vectorize.tokens=words",),
}


def figures(_budget: Budget) -> Iterator[Figure]:
    """Held-out bits per character after equal times."""
    text = Path(os.environ.get("TEXT") or corpus("tinyshakespeare.txt"))
    minutes = float(os.environ.get("MINUTES") or 3)
    for kind, settings in KINDS.items():
        with tempfile.TemporaryDirectory() as scratch:
            assignments = [*settings, f"train.minutes={minutes}"]
            try:
                made = trained_by("default", Path(scratch) / "run", source=str(text), assignments=assignments)
            except UsageError as error:  # scoring a large vocabulary leaves no time for a train step
                print(f"{kind}: {error}")
                continue
        counts = made.counts
        characters = counts["train_characters"] + counts["validation_characters"]
        yield Figure(
            what=f"{text.stem}, {minutes:g} minutes, tokens: {kind}",
            measured=made.bits,
            unit="bits per character",
            conditions=f"recipe default; {characters:,} characters, {characters / counts['tokens']:.2f} a token, "
            f"vocabulary of {counts['vocabulary']:,}; {made.metrics['train_steps']:,} train steps, "
            f"the best model after {made.metrics['epochs']:.2g} passes",
        )
