"""The optimizer and its learning rate over time, from the settings."""

from typing import Any

from components.artifacts.tensorflow import keras
from components.train.config import TrainConfig


def make_learning_rate(config: TrainConfig, train_steps: int) -> Any:
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


def make_optimizer(config: TrainConfig, learning_rate: Any) -> Any:
    """The Keras optimizer; clipping is the trainer's.

    `muon` makes an update of each LSTM matrix orthogonal (Jordan et al., "Muon", 2024) and is Adam for all else;
    updates are scaled so that both take the same learning rate (Liu et al., arXiv 2502.16982).
    """
    match config.optimizer:
        case "muon":
            return keras.optimizers.Muon(
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
