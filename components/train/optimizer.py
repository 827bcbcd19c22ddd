"""The optimizer and its learning rate over time, from the settings."""

from typing import Any

from components.artifacts.tensorflow import keras, tf
from components.train.config import TrainConfig


class Cosine(keras.optimizers.schedules.CosineDecay):  # type: ignore[misc]
    """A rate that first rises and then falls to 0, over a number of train steps that may be changed at any time.

    The number is a variable, so that a change needs no new trace of the graph.
    """

    def __init__(self, learning_rate: float, warm_up_steps: int, train_steps: int) -> None:
        super().__init__(
            0.0 if warm_up_steps else learning_rate,
            decay_steps=tf.Variable(1, trainable=False, dtype=tf.int64),
            warmup_target=learning_rate if warm_up_steps else None,
            warmup_steps=tf.Variable(0, trainable=False, dtype=tf.int64),
        )
        self._warm_up_steps = warm_up_steps
        self.spread(train_steps)

    def spread(self, train_steps: int) -> None:
        """Fall to 0 after this many train steps, of which the rise takes at most half."""
        warm_up = min(self._warm_up_steps, train_steps // 2)
        self.warmup_steps.assign(warm_up)
        self.decay_steps.assign(max(train_steps - warm_up, 1))


def make_learning_rate(config: TrainConfig, train_steps: int) -> Any:
    """The learning rate by train step: a schedule, or a number."""
    if config.schedule == "constant":
        return config.learning_rate
    return Cosine(config.learning_rate, config.warm_up_steps, train_steps)


def make_optimizer(config: TrainConfig, learning_rate: Any) -> Any:
    """The Keras optimizer; clipping is the trainer's.

    `muon` makes an update of each LSTM matrix orthogonal (Jordan et al., "Muon", 2024) and is Adam for all other
    weights; updates are scaled so that both take the same learning rate (Liu et al., arXiv 2502.16982).
    """
    match config.optimizer:
        case "muon":
            return _Muon(
                learning_rate,
                adam_beta_2=config.beta_2,
                weight_decay=None,
                adam_weight_decay=None,
                exclude_layers=["logits"],
            )
        case "adamw":
            return keras.optimizers.AdamW(learning_rate, beta_2=config.beta_2, weight_decay=config.weight_decay)
        case "adam":
            return keras.optimizers.Adam(learning_rate, beta_2=config.beta_2)
        case "rmsprop":
            return keras.optimizers.RMSprop(learning_rate)
        case "sgd":
            return keras.optimizers.SGD(learning_rate, momentum=config.momentum)


class _Muon(keras.optimizers.Muon):  # type: ignore[misc]  # Keras has no types
    """Keras's Muon, with fewer and smaller products for making an update orthogonal."""

    def zeropower_via_newtonschulz5(self, x: Any, steps: int) -> Any:
        """The matrix [M, N] with its singular values brought near 1, by Newton and Schulz's iteration.

        Keras computes x = (a + b x x' + c (x x')^2) x at each step. All these factors are polynomials of the first
        x x', so they commute: here they are multiplied with one another, as squares of the shorter side, and with x
        once at the end. For M = N / 4, as in an LSTM's recurrent kernel, that is 50 M^3 multiplications, not 90.
        """
        if x.shape[0] > x.shape[1]:
            return tf.transpose(self.zeropower_via_newtonschulz5(tf.transpose(x), steps))
        a, b, c = self.muon_a, self.muon_b, self.muon_c
        x /= tf.norm(x) + 1e-7
        square = x @ tf.transpose(x)
        factors = tf.eye(x.shape[0])
        for step in range(steps):
            rest = b * square + c * square @ square  # the factor is a + rest
            factors = a * factors + rest @ factors
            if step < steps - 1:
                half = a * square + rest @ square
                square = a * half + half @ rest
        return factors @ x
