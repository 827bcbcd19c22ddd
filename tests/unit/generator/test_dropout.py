"""Dropout's masks for a CPU: the share that is asked for, unbiased, the same for the same seed."""

from typing import Any

import numpy as np
import pytest

from components.artifacts.tensorflow import tf
from components.generator.dropout import CPUDropout, mask

SEED = (3, 4)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.999])
def test_the_share_is_dropped_and_the_mean_is_kept(share: float) -> None:
    values = mask((1_000, 501), share, SEED, tf.float32).numpy()
    deviation = np.sqrt(share * (1 - share) / values.size)
    assert (values == 0).mean() == pytest.approx(share, abs=5 * deviation)
    assert values.mean() == pytest.approx(1, abs=5 * deviation / (1 - share))
    assert len(np.unique(values)) == 2


def test_numbers_are_dropped_whatever_their_neighbours() -> None:
    dropped = mask((2_000, 101), 0.3, SEED, tf.float32).numpy() == 0
    for axis in (0, 1):
        both = np.logical_and(*(np.take(dropped, range(*ends), axis) for ends in ((0, 100), (1, 101))))
        assert both.mean() == pytest.approx(0.09, abs=5 * np.sqrt(0.09 * 0.91 / both.size))


@pytest.mark.parametrize("dtype", [tf.float32, tf.bfloat16])
@pytest.mark.parametrize("shape", [(), (1,), (3, 5), (0, 4)])
def test_a_mask_follows_from_its_seed_in_any_shape(shape: tuple[int, ...], dtype: Any) -> None:
    values = mask(shape, 0.5, SEED, dtype)
    assert values.shape == shape
    assert values.dtype == dtype
    for again in (mask(shape, 0.5, SEED, dtype), mask(tf.constant(shape, tf.int32), 0.5, SEED, dtype)):
        assert again.numpy().tobytes() == values.numpy().tobytes()


def test_other_seeds_give_other_masks() -> None:
    masks = [mask((100,), 0.5, seed, tf.float32).numpy().tobytes() for seed in (SEED, (3, 5), (4, 4), (0, 0))]
    assert len(set(masks)) == 4


def test_the_layer_drops_in_training_alone_and_keeps_the_dtype() -> None:
    layer = CPUDropout(0.5, seed=1, dtype="mixed_bfloat16")
    inputs = tf.ones((4, 100), tf.bfloat16)
    assert layer(inputs).numpy().tobytes() == inputs.numpy().tobytes()
    outputs = layer(inputs, training=True)
    assert outputs.dtype == tf.bfloat16
    assert set(outputs.numpy().astype(float).ravel().tolist()) == {0.0, 2.0}
