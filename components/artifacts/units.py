"""Units of losses."""

import math
from collections.abc import Mapping


def bits_per_character(nats: float, tokens_a_character: float) -> float:
    """A loss in nats per token as bits per character."""
    return nats * tokens_a_character / math.log(2)


def tokens_a_character_of(counts: Mapping[str, int]) -> float:
    """Of a dataset's held-out text where there is one, else of all, by the counts of its manifest."""
    split = "validation" if counts["validation_characters"] else "train"
    return counts[f"{split}_tokens"] / counts[f"{split}_characters"]
