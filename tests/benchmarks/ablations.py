"""What each part of the recipe `default` is worth: `make bench-ablations`, one to four minutes a line.

All variants of a length take the same train steps over the same text and are scored alike: held-out tinyshakespeare
by windows of 256. The short length shows what helps at first and the price of what guards against learning by heart,
the long one whether that guard pays.
"""

import sys
from collections.abc import Sequence

from components.command import log
from tests.benchmarks.corpora import corpus
from tests.benchmarks.learning import SHAKESPEARE_WINDOW, TimedRun

SHORT, LONG = 700, 2500  # train steps: 1.4 and 5 times through the text
VARIANTS: dict[str, Sequence[str]] = {
    "default": [],
    "default, seed 2": ["train.seed=2"],
    "default, seed 3": ["train.seed=3"],
    "AdamW for Muon": ["train.optimizer=adamw", "train.learning_rate=0.004"],
    "no n-grams": ["train.ngrams=1"],
    "n-grams of up to 3": ["train.ngrams=3"],
    "n-grams of up to 5": ["train.ngrams=5"],
    "AdamW, no n-grams": ["train.optimizer=adamw", "train.learning_rate=0.004", "train.ngrams=1"],
    "no n-gram decay": ["train.ngram_decay=0"],
    "no dropout": ["train.dropout=0", "train.input_dropout=0"],
    "weight-drop 0.2": ["train.weight_drop=0.2"],
    "bfloat16": ["train.precision=bfloat16"],
    "half the steps of twice the batch": ["train.batch=64"],
}
GUARDS: dict[str, Sequence[str]] = {
    "default": [],
    "no n-gram decay": ["train.ngram_decay=0"],
    "n-gram decay 1": ["train.ngram_decay=1"],
    "n-gram decay 3": ["train.ngram_decay=3"],
    "no dropout": ["train.dropout=0", "train.input_dropout=0"],
}
"""Of the long length."""


def main() -> int:
    """Print a line for each variant; the exit code."""
    log.set_up("bench")
    text = corpus("tinyshakespeare.txt")
    for steps, variants in ((SHORT, VARIANTS), (LONG, GUARDS)):
        print(f"{steps:,} train steps of 32 x 64 characters; held-out nats in windows of {SHAKESPEARE_WINDOW}")
        for name, assignments in variants.items():
            run = TimedRun("default", text, assignments)
            run.train_tokens(steps * 32 * 64)
            loss = run.window_loss(SHAKESPEARE_WINDOW, None)(run.trainer.network.get_weights())
            print(f"{name:<36} {loss:.4f}   {run}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
