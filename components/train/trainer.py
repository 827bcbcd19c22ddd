"""The train step: a network, its optimizer, and the carried state, advanced together.

Everything that a step changes is in `values`, so restoring them restores training exactly. Several devices share a
batch's rows (tf.distribute's MirroredStrategy), with the same loss as one device.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.artifacts.dataset import Dataset
from components.artifacts.errors import UsageError
from components.artifacts.tensorflow import tf
from components.generator.architecture import Architecture, State
from components.generator.chains import CHAINS_ON_CPU, in_chains, joined, summed
from components.generator.dropout import mask
from components.generator.network import build
from components.generator.ops import in_tensorflow
from components.generator.text import HOST, Text
from components.train.config import TrainConfig
from components.train.data import Lanes, Order, ShuffledWindows
from components.train.optimizer import Cosine, make_learning_rate, make_optimizer
from components.train.tables import Tables

_DROPOUT, _WEIGHT_DROP = 1, 2  # keep the random numbers of the two apart


def architecture_of(config: TrainConfig, vocabulary: int) -> Architecture:
    """The network's shape for a vocabulary of this size."""
    return Architecture(
        vocabulary=vocabulary,
        cell=config.cell,
        layers=config.layers,
        units=config.units,
        input=config.input,
        embedding_size=config.embedding_size,
        ngrams=config.ngrams,
        ngram_buckets=config.ngram_buckets,
        objective=config.objective,
        dropout=config.dropout,
        dropout_placement=config.dropout_placement,
        input_dropout=config.input_dropout,
    )


class Trainer:
    """Takes train steps by their number; the same number with the same values gives the same result.

    Args:
        config, dataset: the settings, and the data to train on.
        devices: names of TensorFlow's logical devices to share the work; by default all GPUs, or the CPU.

    Raises:
        UsageError: the carried lanes of a batch can't be divided evenly among the devices.
    """

    def __init__(self, config: TrainConfig, dataset: Dataset, devices: Sequence[str] = ()) -> None:
        tf.config.experimental.enable_op_determinism()
        self._strategy = _strategy_of(*(devices or [device.name for device in tf.config.list_logical_devices("GPU")]))
        self._replicas = self._strategy.num_replicas_in_sync
        if config.carries_state and config.batch % self._replicas:
            raise UsageError(
                f"train.batch: {config.batch} lanes can't be divided evenly among {self._replicas} devices"
            )
        self.config = config
        self.architecture = architecture_of(config, len(dataset.vocabulary))
        self.order = _order(config, dataset)
        self.train_steps = config.train_steps or config.epochs * self.order.steps_per_epoch
        self.length = dataset.length
        self.on_gpu = bool(tf.config.get_visible_devices("GPU"))
        self._chains = 1 if self.on_gpu or self._replicas > 1 else CHAINS_ON_CPU
        with self._strategy.scope():
            self.network = self._build_network()
            self.learning_rate = make_learning_rate(config, self.train_steps)
            self._optimizer = make_optimizer(config, self.learning_rate)
            self._tables = Tables(config, self.network, self.architecture.ngrams, on_gpu=self.on_gpu)
            self._optimizer.build(self._parted(self.network.trainable_variables)[1])
            states = self.architecture.states if config.carries_state else []
            self._carried = [self._carried_variable(state) for state in states]
        self._text = Text(dataset.train)
        # Autograph would translate Keras's code and ours, which takes longer than tracing it.
        self._steps = tf.function(self._take_steps, autograph=False, reduce_retracing=True)
        self._rate = tf.function(self._rate_of, autograph=False)

    def _build_network(self) -> Any:
        return build(
            self.architecture,
            length=self.length,
            on_cpu=not self.on_gpu,
            carry=self.config.carries_state,
            use_cudnn=True if self.on_gpu else "auto",
            precision=self.config.precision,
            seed=self.config.seed,
        )

    def _carried_variable(self, state: State) -> Any:
        """The variable of a carried state, for this device's lanes."""
        return tf.Variable(
            state.at_start(in_tensorflow, self.config.batch // self._replicas),
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )

    def values(self) -> list[NDArray[Any]]:
        """Weights, optimizer state and carried states [B, ...], in a fixed order."""
        shared = [variable.numpy().copy() for variable in self._shared]
        return [*shared, *(self._joined(variable) for variable in self._carried)]

    def restore(self, values: list[NDArray[Any]]) -> None:
        """Restore the values, which are `values()` of a trainer with the same settings."""
        shared = len(self._shared)
        for variable, value in zip(self._shared, values[:shared], strict=True):
            variable.assign(value)
        for variable, value in zip(self._carried, values[shared:], strict=True):
            for replica, part in enumerate(self._strategy.experimental_local_results(variable)):
                part.assign(value[replica :: self._replicas])

    @property
    def _shared(self) -> list[Any]:
        return [*self.network.weights, *self._optimizer.variables, *self._tables.variables]

    def _joined(self, variable: Any) -> NDArray[Any]:
        parts = [part.numpy() for part in self._strategy.experimental_local_results(variable)]
        return np.stack(parts, axis=1).reshape(-1, *parts[0].shape[1:])

    def spread_over(self, train_steps: int) -> None:
        """Set the total number of train steps; the learning rate's schedule follows."""
        self.train_steps = train_steps
        if isinstance(self.learning_rate, Cosine):
            self.learning_rate.spread(train_steps)

    def rate_at(self, train_step: int) -> float:
        """The learning rate of a train step, counted from 0."""
        return float(self._rate(tf.constant(train_step, tf.int64)))

    def _rate_of(self, train_step: Any) -> Any:
        return self.learning_rate(train_step) if callable(self.learning_rate) else self.learning_rate

    def advance(self, first: int, count: int) -> tuple[float, int]:
        """Take `count` train steps from number `first` on; the sum of nats over their targets, and the targets."""
        nats, targets = self._steps(tf.constant(first, tf.int64), tf.constant(count, tf.int64))
        return float(nats), int(targets)

    def _take_steps(self, first: Any, count: Any) -> tuple[Any, Any]:
        def take(train_step: Any, nats: Any, targets: Any) -> Any:
            of_devices = self._strategy.run(self._take_step, args=(train_step,))
            step_nats, step_targets = (self._strategy.reduce("SUM", part, axis=None) for part in of_devices)
            return train_step + 1, nats + step_nats, targets + step_targets

        start = (first, tf.constant(0.0, tf.float64), tf.constant(0, tf.int64))
        _, nats, targets = tf.while_loop(lambda step, *_: step < first + count, take, start)
        return nats, targets

    def _take_step(self, train_step: Any) -> tuple[Any, Any]:
        """One device's part of a train step: the rows whose number modulo the number of devices is its own."""
        context = tf.distribute.get_replica_context()
        replica = context.replica_id_in_sync_group
        with tf.device(HOST):
            starts = self.order.starts(train_step)
            window = self._text.windows(starts[replica :: self._replicas], self.length + 1)
        labels = window[:, 1:] if self.config.objective == "sequence" else window[:, -1]
        targets = tf.size(starts) * (self.length if self.config.objective == "sequence" else 1)
        weights = [tf.convert_to_tensor(variable.value) for variable in self.network.trainable_variables]
        gradients, nats, states = [], [], []
        rows = [labels, window[:, :-1], *self._states_before(train_step)]
        for number, chain in enumerate(in_chains(rows, self._chains)):
            with tf.GradientTape() as tape:
                tape.watch(weights)
                logits, *new_states = self._forward(weights, chain[1:], train_step, replica * self._chains + number)
                chain_nats = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=chain[0], logits=logits)
                loss = tf.reduce_sum(self._smoothed(chain_nats, logits)) / tf.cast(targets, tf.float32)
            gradients.append(tape.gradient(loss, weights))
            nats.append(tf.cast(tf.reduce_sum(chain_nats), tf.float64))
            states.append(new_states)
        self._apply(summed(gradients), train_step, context)
        for variable, state in zip(self._carried, joined(states), strict=True):
            variable.assign(tf.cast(state, variable.dtype))
        return tf.add_n(nats), tf.size(labels, tf.int64)

    def _states_before(self, train_step: Any) -> list[Any]:
        """The carried states [B, ...]; initial ones at an epoch's start, since its lanes begin elsewhere."""
        if not self._carried:
            return []
        continues = train_step % self.order.steps_per_epoch != 0
        at_start = [
            state.at_start(in_tensorflow, self.config.batch // self._replicas) for state in self.architecture.states
        ]
        return [tf.where(continues, old, new) for old, new in zip(self._carried, at_start, strict=True)]

    def _forward(self, weights: list[Any], inputs: list[Any], train_step: Any, part: Any) -> list[Any]:
        """Logits, then new states. All randomness follows from (seed, train step, part), so the state holds none."""
        seeds = [
            tf.cast(self._seed_of(_DROPOUT, train_step, part, number), variable.dtype)
            for number, variable in enumerate(self.network.non_trainable_variables)
        ]
        weights = self._dropped(weights, train_step)
        outputs, _ = self.network.stateless_call(weights, seeds, inputs if self._carried else inputs[0], training=True)
        return outputs if self._carried else [outputs]

    def _dropped(self, weights: list[Any], train_step: Any) -> list[Any]:
        """The weights, with some of each recurrent matrix left out (Merity et al., arXiv 1708.02182: weight-drop)."""
        share = self.config.weight_drop
        if not share:
            return weights
        dropped = []
        for number, (weight, variable) in enumerate(zip(weights, self.network.trainable_variables, strict=True)):
            if variable.name == "recurrent_kernel":
                seed = self._seed_of(_WEIGHT_DROP, train_step, number)
                weight *= mask(weight.shape, share, seed, weight.dtype)  # noqa: PLW2901 -- the same weight, masked
            dropped.append(weight)
        return dropped

    def _seed_of(self, purpose: int, *places: Any) -> Any:
        """A seed, int64 [2], derived from training's seed and from its purpose."""
        seed = tf.constant([self.config.seed, purpose], tf.int64)
        for place in places:
            seed = tf.random.experimental.stateless_fold_in(seed, tf.cast(place, tf.int64))
        return seed

    def _apply(self, gradients: list[Any], train_step: Any, context: Any) -> None:
        """Update the weights by one device's gradients, in the order of the variables."""
        in_table, dense = self._parted(gradients)
        # Keras's optimizers and clipping would square an embedding's gradient per occurrence instead of its sum.
        dense = [tf.convert_to_tensor(gradient) for gradient in dense]
        if self._replicas > 1:
            dense = context.all_reduce("SUM", dense)
        in_table = [self._tables.gathered(gradient, context) for gradient in in_table]
        if self.config.clip_norm:
            values, _ = tf.clip_by_global_norm([*dense, *(rows.values for rows in in_table)], self.config.clip_norm)
            dense, clipped = values[: len(dense)], values[len(dense) :]
            in_table = [tf.IndexedSlices(value, rows.indices) for value, rows in zip(clipped, in_table, strict=True)]
        self._tables.update(in_table, self._rate_of(train_step), train_step, context)
        # Keras sums the devices' gradients.
        _, variables = self._parted(self.network.trainable_variables)
        self._optimizer.apply([gradient / self._replicas for gradient in dense], variables)

    def _parted(self, of_variables: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """Split a list with an item per trainable variable into those of the tables and the others."""
        tables = {id(table) for table in self._tables.trained}
        parts: tuple[list[Any], list[Any]] = [], []
        for variable, item in zip(self.network.trainable_variables, of_variables, strict=True):
            parts[id(variable) not in tables].append(item)
        return parts

    def _smoothed(self, nats: Any, logits: Any) -> Any:
        share = self.config.label_smoothing
        if not share:
            return nats
        to_all = -tf.reduce_mean(tf.nn.log_softmax(logits), axis=-1)
        return (1 - share) * nats + share * to_all


@cache
def _strategy_of(*devices: str) -> Any:
    """The strategy for these devices; one object for the same devices, since two would mix up their messages."""
    return tf.distribute.MirroredStrategy(devices) if len(devices) > 1 else tf.distribute.get_strategy()


def _order(config: TrainConfig, dataset: Dataset) -> Order:
    tokens, length = len(dataset.train), dataset.length
    if config.carries_state:
        return Lanes(tokens=tokens, length=length, batch=config.batch, seed=config.seed)
    return ShuffledWindows(tokens=tokens, length=length, step=dataset.step, batch=config.batch, seed=config.seed)
