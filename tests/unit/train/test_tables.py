"""The tables of runs of tokens: only rows that were read change, as if all had been updated each train step."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from components.artifacts.tensorflow import keras, tf
from components.train.config import TrainConfig
from components.train.tables import Tables

ROWS, WIDTH, RATE, BETA, DECAY = 9, 3, 0.1, 0.9, 0.5


@pytest.fixture(params=[False, True], ids=["cpu", "gpu"])
def tables(config_of: Callable[..., TrainConfig], request: pytest.FixtureRequest) -> Tables:
    layer = keras.layers.Embedding(ROWS, WIDTH)
    layer.build()
    config = config_of(ngrams=2, beta_2=BETA, learning_rate=RATE, ngram_decay=DECAY, ngram_rate=2)
    return Tables(config, SimpleNamespace(get_layer=lambda _: layer), 2, on_gpu=request.param)


def test_rows_go_as_if_all_rows_were_updated_at_each_step(tables: Tables) -> None:
    random = np.random.default_rng(1)
    expected, squares = tables.trained[0].numpy(), np.zeros((ROWS, 1))
    for step in range(20):
        rows = random.choice(ROWS, 3, replace=False)
        gradient = random.normal(size=(3, WIDTH))
        _update(tables, rows, gradient, step)
        dense = np.zeros((ROWS, WIDTH))
        dense[rows] = gradient
        squares = BETA * squares + (1 - BETA) * (dense**2).mean(axis=1, keepdims=True)
        root = np.sqrt(squares / (1 - BETA ** (step + 1))) + 1e-7
        expected = (expected - 2 * RATE * dense / root) * (1 - RATE * DECAY)
    np.testing.assert_allclose(tables.trained[0].numpy(), expected, rtol=1e-4, atol=1e-6)


def test_a_row_that_was_read_more_than_once_has_the_sum_of_its_gradients(tables: Tables) -> None:
    values, rows = tf.constant([[1.0, 2, 3], [10, 20, 30], [100, 200, 300]]), tf.constant([7, 2, 7])
    once = tables.gathered(tf.IndexedSlices(values, rows), tf.distribute.get_replica_context())
    np.testing.assert_array_equal(once.indices, [7, 2])
    np.testing.assert_array_equal(once.values, [[101, 202, 303], [10, 20, 30]])


def test_what_is_remembered_is_a_number_and_a_step_a_row(tables: Tables) -> None:
    _update(tables, np.array([4]), np.ones((1, WIDTH)), 6)
    squares, steps = (variable.numpy() for variable in tables.variables)
    assert squares.shape == steps.shape == (ROWS, 1)
    np.testing.assert_array_equal(np.flatnonzero(squares), [4])
    np.testing.assert_array_equal(np.flatnonzero(steps), [4])
    assert steps[4] == 7


def _update(tables: Tables, rows: NDArray[np.int64], gradient: NDArray[np.float64], step: int) -> None:
    slices = tf.IndexedSlices(tf.constant(gradient, tf.float32), tf.constant(rows))
    context = tf.distribute.get_replica_context()
    tables.update([slices], tf.constant(RATE), tf.constant(step, tf.int64), context)
