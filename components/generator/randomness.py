"""The random numbers that texts are sampled with."""

import numpy as np
from numpy.typing import NDArray


def uniform_stream(seed: int, text: int, length: int) -> NDArray[np.float32]:
    """The random numbers of text `text` under `seed`: float32 [length], each a multiple of 2**-24 in [0, 1)."""
    bits = np.random.Philox(key=np.array([seed, text], np.uint64)).random_raw(length)
    return ((bits >> np.uint64(40)).astype(np.float32)) * np.float32(2.0**-24)
