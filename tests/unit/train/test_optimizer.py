"""The optimizers made from settings; Muon's updates are Keras's own."""

from collections.abc import Callable

import numpy as np
import pytest

from components.artifacts.tensorflow import keras, tf
from components.train.config import TrainConfig
from components.train.optimizer import make_optimizer


@pytest.mark.parametrize("shape", [(16, 64), (64, 16), (16, 16), (1, 8)])
def test_muon_makes_matrices_as_orthogonal_as_keras_does(
    config_of: Callable[..., TrainConfig], shape: tuple[int, int]
) -> None:
    random = np.random.default_rng(1)
    matrix = tf.constant(random.normal(size=shape) @ np.diag(np.logspace(0, -1, shape[1])), tf.float32)
    ours = make_optimizer(config_of(optimizer="muon"), 0.01).zeropower_via_newtonschulz5(matrix, 5)
    kerass = keras.optimizers.Muon(0.01).zeropower_via_newtonschulz5(matrix, 5)
    np.testing.assert_allclose(ours, kerass, atol=1e-4)
