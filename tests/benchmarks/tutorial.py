"""The yardstick: a character LSTM trained as Keras's tutorial on Nietzsche does it, on current Keras.

Windows of 60 every 3 characters, one-hot boolean arrays filled by loops, `model.fit`. It is written to be
compared with, so what is slow about it stays slow.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.artifacts.tensorflow import keras
from tests.benchmarks.corpora import split
from tests.benchmarks.measure import seconds_of

LENGTH = 60
STEP = 3
BATCH = 128
UNITS = 128
LEARNING_RATE = 0.01

Windows = tuple[NDArray[np.bool_], NDArray[np.bool_]]


def windows_of(text: str, vocabulary: str) -> Windows:
    """All windows and the character after each, one-hot: boolean [windows, 60, V] and [windows, V]."""
    numbers = {character: number for number, character in enumerate(vocabulary)}
    starts = range(0, len(text) - LENGTH, STEP)
    inputs = np.zeros((len(starts), LENGTH, len(vocabulary)), dtype=bool)
    targets = np.zeros((len(starts), len(vocabulary)), dtype=bool)
    for row, start in enumerate(starts):
        for place, character in enumerate(text[start : start + LENGTH]):
            inputs[row, place, numbers[character]] = True
        targets[row, numbers[text[start + LENGTH]]] = True
    return inputs, targets


def network(vocabulary_size: int) -> Any:
    """The tutorial's network, compiled as the tutorial compiles it."""
    model = keras.Sequential(
        [
            keras.Input((LENGTH, vocabulary_size)),
            keras.layers.LSTM(UNITS),
            keras.layers.Dense(vocabulary_size, activation="softmax"),
        ]
    )
    model.compile(loss="categorical_crossentropy", optimizer=keras.optimizers.RMSprop(learning_rate=LEARNING_RATE))
    return model


def epochs(text: str, *, seed: int = 1) -> Iterator[tuple[float, float]]:
    """Train on a text's first nine tenths, without end; after each epoch yield its progress.

    Yields:
        Seconds of training so far, preparation and evaluation left out; and the held-out loss in nats: of the
        character after each window of the last tenth.
    """
    text = text.lower()
    keras.utils.set_random_seed(seed)
    vocabulary = "".join(sorted(set(text)))
    (inputs, targets), held_out = (windows_of(part, vocabulary) for part in split(text))
    model = network(len(vocabulary))
    seconds = 0.0
    while True:
        seconds += seconds_of(lambda: model.fit(inputs, targets, batch_size=BATCH, epochs=1, verbose=0))
        yield seconds, float(model.evaluate(*held_out, batch_size=512, verbose=0))


class Fit:
    """Fits the same limited number of batches at each call, for timing."""

    def __init__(self, text: str, *, batches: int) -> None:
        """Prepare the windows, and fit one batch, so that TensorFlow's graph is there."""
        text = text.lower()
        self.windows = batches * BATCH
        vocabulary = "".join(sorted(set(text)))
        self._inputs, self._targets = windows_of(text[: LENGTH + STEP * self.windows], vocabulary)
        self._model = network(len(vocabulary))
        self._fit(BATCH)

    def __call__(self) -> None:
        """Fit all of them once."""
        self._fit(self.windows)

    def _fit(self, windows: int) -> None:
        self._model.fit(self._inputs[:windows], self._targets[:windows], batch_size=BATCH, epochs=1, verbose=0)


def windows_per_second(text: str, *, batches: int = 40) -> float:
    """How fast it trains, after a batch to warm up."""
    fit = Fit(text, batches=batches)
    return fit.windows / seconds_of(fit)
