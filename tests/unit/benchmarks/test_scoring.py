"""The benchmarks' own scorer scores windows from a zero state."""

import numpy as np
import pytest

from components.artifacts.tensorflow import tf
from components.generator.architecture import Architecture
from components.generator.network import build
from tests.benchmarks.scoring import WindowLoss

ARCHITECTURE = Architecture(
    vocabulary=7,
    layers=1,
    units=5,
    input="embedding",
    embedding_size=4,
    ngrams=2,
    ngram_buckets=31,
    objective="sequence",
    dropout=0.5,
    dropout_placement="after_each",
)


@pytest.mark.parametrize(("step", "starts"), [(None, [0, 6, 12]), (4, [0, 4, 8, 12])])
def test_the_loss_is_of_the_targets_in_windows_from_a_zero_state(step: int | None, starts: list[int]) -> None:
    ids = np.random.default_rng(1).integers(0, 7, 19).astype(np.uint8)
    network = build(ARCHITECTURE)
    nats = []
    for start in starts:
        logits = network(tf.constant(ids[None, start : start + 6].astype(np.int32))).numpy()[0]
        shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        places = range(6) if step is None else [5]
        nats += [-np.log(shares[place, ids[start + place + 1]]) for place in places]
    loss = WindowLoss(ARCHITECTURE, ids, window=6, step=step)
    assert loss(network.get_weights()) == pytest.approx(np.mean(nats), abs=1e-5)
