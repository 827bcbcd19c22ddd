"""The random numbers that texts are sampled with."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def uniform_stream(seed: int, text: int, length: int) -> NDArray[np.float32]:
    """The random numbers of text `text` under `seed`: float32 [length], each a multiple of 2**-24 in [0, 1)."""
    bits = np.random.Philox(key=np.array([seed, text], np.uint64)).random_raw(length)
    return ((bits >> np.uint64(40)).astype(np.float32)) * np.float32(2.0**-24)


def redraw_stream(seed: int, text: int) -> Iterator[np.float32]:
    """Endless random numbers of a text for tokens drawn again, float32 in [0, 1); separate from its first draws."""
    far_on = np.array([0, 0, 0, 1], np.uint64)  # a jump within the 2**256 numbers of the text's generator
    generator = np.random.Philox(key=np.array([seed, text], np.uint64), counter=far_on)
    while True:
        yield np.float32(int(generator.random_raw()) >> 40) * np.float32(2.0**-24)
