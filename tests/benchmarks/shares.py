"""How much of the processor's peak training uses, how soon its first step is done, and what the LSTM's pass brings."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from components.artifacts.dataset import Dataset
from components.artifacts.tensorflow import keras, one_thread_an_operation, tf
from components.generator.cells.lstm_on_cpu import CPULSTM
from components.generator.chains import CHAINS_ON_CPU
from components.train.trainer import Trainer
from tests.benchmarks.datasets import dataset_by
from tests.benchmarks.measure import Budget, Figure, paired, seconds_of
from tests.benchmarks.peak import forward_flop, has_avx512, sgemm_peak

TURNS: dict[Budget, int] = {"full": 15, "short": 7}
TIME, WIDTH, VOCABULARY = 64, 64, 103


def figures(budget: Budget) -> Iterator[Figure]:
    """The peak, the shares of it, the seconds to the first train step, and the pass over Keras's layer."""
    one_thread_an_operation()  # as the stage does
    peak = sgemm_peak()
    yield Figure(what="sgemm peak, all cores", measured=peak / 1e9, unit="GFLOP/s", conditions="the largest of three")
    yield _share_of_training("train step of default", [], peak, TURNS[budget], target=50)
    wide = ["train.units=512", "train.batch=64"]
    yield _share_of_training("train step of 512 units, batch 64", wide, peak, TURNS[budget], target=65)
    for name, target in (("quick", 5), ("sonnets", 10)):
        yield _first_step(name, target=target)
    for units in (128, 256, 512):
        slow, fast = paired(_pass(keras.layers.LSTM, units, unroll=True), _pass(CPULSTM, units), TURNS[budget])
        yield Figure(
            what=f"LSTM pass over Keras's, {units} units, batch 32",
            measured=slow / fast,
            unit="x",
            target=2.5 if units == 256 and not has_avx512() else 1.0,
            conditions=f"{TIME} tokens, forward and backward, two chains; Keras's unrolled {1000 * slow:.0f} ms",
        )


def _first_step(name: str, *, target: float) -> Figure:
    """How long it takes to build a recipe's network and to trace, optimize and take its first train step."""
    with tempfile.TemporaryDirectory() as scratch:
        settings, place = dataset_by(name, Path(scratch))
        data = Dataset.read(place)
    return Figure(
        what=f"time to the first train step of {name}",
        measured=seconds_of(lambda: Trainer(settings, data).advance(0, 1)),
        unit="s",
        target=target,
        better="lower",
        conditions="TensorFlow is imported already; nothing of this recipe was traced before",
    )


def _share_of_training(what: str, assignments: list[str], peak: float, turns: int, *, target: float) -> Figure:
    """The products of a train step, forward and backward, against what the peak would do in its time."""
    with tempfile.TemporaryDirectory() as scratch:
        settings, place = dataset_by("default", Path(scratch), assignments=assignments)
        trainer = Trainer(settings, Dataset.read(place))
    trainer.advance(0, 2)  # traces the graph
    seconds = median(seconds_of(lambda turn=turn: trainer.advance(2 + turn, 5)) / 5 for turn in range(0, 5 * turns, 5))
    tokens = settings.batch * trainer.length
    flop = 3 * tokens * forward_flop(trainer.architecture)
    return Figure(
        what=what,
        measured=100 * flop / seconds / peak,
        unit="% of the peak",
        target=target,
        conditions=f"{1000 * seconds:.0f} ms, {tokens / seconds:,.0f} tokens/s; median of {turns} turns of 5 steps",
    )


def _pass(layer: type, units: int, **options: Any) -> Any:
    """A batch through an LSTM layer and an output, forward and backward, as training does it: in chains."""
    lstm = layer(units, return_sequences=True, **options)
    network = keras.Sequential([keras.Input((TIME, WIDTH)), lstm, keras.layers.Dense(VOCABULARY)])
    inputs = tf.constant(np.random.default_rng(1).normal(size=(32, TIME, WIDTH)), tf.float32)
    labels = tf.zeros([32, TIME], tf.int32)

    def gradients() -> list[Any]:
        found = []
        for chain in range(CHAINS_ON_CPU):
            rows = slice(chain * 32 // CHAINS_ON_CPU, (chain + 1) * 32 // CHAINS_ON_CPU)
            with tf.GradientTape() as tape:
                logits = network(inputs[rows])
                nats = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels[rows], logits=logits)
                loss = tf.reduce_sum(nats)
            found.append(tape.gradient(loss, [variable.value for variable in network.trainable_variables]))
        return [tf.add_n(parts) for parts in zip(*found, strict=True)]

    graph = tf.function(gradients, autograph=False)
    graph()
    return graph
