"""The tutorials' way to write: `model.predict` over a one-hot window for every single character."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from components.artifacts.tensorflow import keras


def tutorial_loop(
    *, units: int, vocabulary: int, window: int, temperature: float = 1.0
) -> Callable[[int], NDArray[np.int64]]:
    """A network as the tutorials build it, with random weights, and their loop over it.

    Returns:
        A function that writes so many characters and returns their ids.
    """
    model = keras.Sequential(
        [
            keras.Input((window, vocabulary)),
            keras.layers.LSTM(units),
            keras.layers.Dense(vocabulary, activation="softmax"),
        ]
    )
    rng = np.random.default_rng(1)
    seed_text = rng.integers(0, vocabulary, window).tolist()

    def write(length: int) -> NDArray[np.int64]:
        text = list(seed_text)
        for _ in range(length):
            one_hot = np.zeros((1, window, vocabulary), bool)
            for place, character in enumerate(text[-window:]):
                one_hot[0, place, character] = True
            weights = np.log(model.predict(one_hot, verbose=0)[0].astype(np.float64)) / temperature
            weights = np.exp(weights - weights.max())
            text.append(int(rng.multinomial(1, weights / weights.sum()).argmax()))
        return np.array(text[window:])

    return write
