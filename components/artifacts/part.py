"""An evenly spread part of a text's tokens, where the whole would take far longer and hardly change a figure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STRETCHES = 64
LEAD_IN_TOKENS = 128


@dataclass(frozen=True, kw_only=True)
class Part:
    """Stretches of a text, one after the other: ids [tokens], and which of them count, bool [tokens].

    Tokens that do not count are a lead-in: they are read before those that do, so that no token that counts is
    predicted from another stretch.
    """

    ids: NDArray[np.integer]
    counts: NDArray[np.bool_]


def part_of(ids: NDArray[np.integer], most: int, *, window: int) -> Part:
    """At most `most` of ids [N], in stretches that begin evenly spread over them; all if `most` is 0 or enough.

    A lead-in precedes each stretch: LEAD_IN_TOKENS, or a window of `window` tokens if that is longer.
    """
    if not is_part(len(ids), most):
        return Part(ids=ids, counts=np.ones(len(ids), bool))
    stretches = min(STRETCHES, most)
    size, lead_in = most // stretches, max(LEAD_IN_TOKENS, window)
    places, counts = [], []
    for begin in (number * len(ids) // stretches for number in range(stretches)):
        place = np.arange(max(begin - lead_in, 0), begin + size)
        places.append(place)
        counts.append(place >= begin)
    return Part(ids=ids[np.concatenate(places)], counts=np.concatenate(counts))


def is_part(tokens: int, most: int) -> bool:
    """Whether at most `most` of so many tokens are fewer than all; a `most` of 0 is all."""
    return 0 < most < tokens
