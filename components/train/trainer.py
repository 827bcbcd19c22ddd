"""The train step: a network, its optimizer, and the carried state, advanced together.

All that a step changes is in `variables`: putting their values back puts training back, exactly.
"""

from typing import Any

from numpy.typing import NDArray

from components.artifacts.tensorflow import keras, tf
from components.generator.network import Architecture, build
from components.train.config import TrainConfig
from components.train.data import Dataset, Lanes, Order, ShuffledWindows, as_tensor, windows_at


def architecture_of(config: TrainConfig, vocabulary: int) -> Architecture:
    """The network's shape for a vocabulary of this size."""
    return Architecture(
        vocabulary=vocabulary,
        layers=config.layers,
        units=config.units,
        input=config.input,
        embedding_size=config.embedding_size,
        objective=config.objective,
        dropout=config.dropout,
        dropout_placement=config.dropout_placement,
    )


class Trainer:
    """Takes train steps by their number; the same number from the same variables does the same."""

    def __init__(self, config: TrainConfig, dataset: Dataset) -> None:
        keras.utils.set_random_seed(config.seed)
        tf.config.experimental.enable_op_determinism()
        self.config = config
        self.architecture = architecture_of(config, len(dataset.vocabulary))
        self.order = _order(config, dataset)
        self.train_steps = config.train_steps or config.epochs * self.order.steps_per_epoch
        self.length = dataset.length
        # Unrolled steps are twice as fast on a CPU; on a GPU cuDNN is far faster and can't be unrolled.
        unroll = not tf.config.get_visible_devices("GPU")
        self.network = build(self.architecture, length=dataset.length, unroll=unroll, carry=config.carries_state)
        self.learning_rate = _learning_rate(config, self.train_steps)
        self._optimizer = _optimizer(config, self.learning_rate)
        self._optimizer.build(self.network.trainable_variables)
        shape = [config.batch, config.units]
        states = 2 * config.layers if config.carries_state else 0
        self._carried = [tf.Variable(tf.zeros(shape), trainable=False) for _ in range(states)]
        self._ids = as_tensor(dataset.train)
        self._steps = tf.function(self._take_steps, reduce_retracing=True)

    @property
    def variables(self) -> list[Any]:
        """Weights, dropout seeds, optimizer state and carried state, in a fixed order."""
        return [*self.network.variables, *self._optimizer.variables, *self._carried]

    def values(self) -> list[NDArray[Any]]:
        """The variables' values."""
        return [variable.numpy().copy() for variable in self.variables]

    def restore(self, values: list[NDArray[Any]]) -> None:
        """Put the variables' values back; they are `values()` of a trainer with the same settings."""
        for variable, value in zip(self.variables, values, strict=True):
            variable.assign(value)

    def advance(self, first: int, count: int) -> tuple[float, int]:
        """Take `count` train steps from number `first` on; the sum of nats over their targets, and the targets."""
        nats, targets = self._steps(tf.constant(first, tf.int64), tf.constant(count, tf.int64))
        return float(nats), int(targets)

    def _take_steps(self, first: Any, count: Any) -> tuple[Any, Any]:
        nats, targets = tf.constant(0.0, tf.float64), tf.constant(0, tf.int64)
        for train_step in tf.range(first, first + count):
            step_nats, step_targets = self._take_step(train_step)
            nats += step_nats
            targets += step_targets
        return nats, targets

    def _take_step(self, train_step: Any) -> tuple[Any, Any]:
        window = windows_at(self._ids, self.order.starts(train_step), self.length + 1)
        labels = window[:, 1:] if self.config.objective == "sequence" else window[:, -1]
        with tf.GradientTape() as tape:
            logits, states = self._forward(window[:, :-1], train_step)
            nats = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
            loss = tf.reduce_mean(self._smoothed(nats, logits))
        # Keras's optimizers and clipping would square an embedding's gradient occurrence by occurrence, not its sum.
        sparse = tape.gradient(loss, self.network.trainable_variables)
        gradients = [tf.convert_to_tensor(gradient) for gradient in sparse]
        self._optimizer.apply(gradients, self.network.trainable_variables)
        for variable, state in zip(self._carried, states, strict=True):
            variable.assign(state)
        return tf.cast(tf.reduce_sum(nats), tf.float64), tf.size(labels, tf.int64)

    def _forward(self, ids: Any, train_step: Any) -> tuple[Any, list[Any]]:
        if not self._carried:
            return self.network(ids, training=True), []
        # An epoch's lanes begin elsewhere than the last one's ended.
        keep = tf.cast(train_step % self.order.steps_per_epoch != 0, tf.float32)
        logits, *states = self.network([ids, *(keep * state for state in self._carried)], training=True)
        return logits, states

    def _smoothed(self, nats: Any, logits: Any) -> Any:
        share = self.config.label_smoothing
        if not share:
            return nats
        to_all = -tf.reduce_mean(tf.nn.log_softmax(logits), axis=-1)
        return (1 - share) * nats + share * to_all


def _order(config: TrainConfig, dataset: Dataset) -> Order:
    tokens, length = len(dataset.train), dataset.length
    if config.carries_state:
        return Lanes(tokens=tokens, length=length, batch=config.batch, seed=config.seed)
    return ShuffledWindows(tokens=tokens, length=length, step=dataset.step, batch=config.batch, seed=config.seed)


def _learning_rate(config: TrainConfig, train_steps: int) -> Any:
    """The learning rate by train step: a Keras schedule, or a number."""
    if config.schedule == "constant":
        return config.learning_rate
    warm_up = min(config.warm_up_steps, train_steps // 2)
    return keras.optimizers.schedules.CosineDecay(
        0.0 if warm_up else config.learning_rate,
        decay_steps=max(train_steps - warm_up, 1),
        warmup_target=config.learning_rate if warm_up else None,
        warmup_steps=warm_up,
    )


def _optimizer(config: TrainConfig, learning_rate: Any) -> Any:
    common = {"learning_rate": learning_rate, "global_clipnorm": config.clip_norm or None}
    match config.optimizer:
        case "adamw":
            return keras.optimizers.AdamW(**common, beta_2=config.beta_2, weight_decay=config.weight_decay)
        case "adam":
            return keras.optimizers.Adam(**common, beta_2=config.beta_2)
        case "rmsprop":
            return keras.optimizers.RMSprop(**common)
        case "sgd":
            return keras.optimizers.SGD(**common, momentum=config.momentum)
