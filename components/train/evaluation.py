"""The held-out loss during training, under the protocol that the network is trained for."""

from components.artifacts.part import Part
from components.generator.scoring import Scorer
from components.train.trainer import Trainer


class Evaluation(Scorer):
    """Scores a trainer's network with its current weights."""

    def __init__(self, trainer: Trainer, held_out: Part, *, step: int) -> None:
        super().__init__(
            trainer.architecture,
            trainer.network.trainable_variables,
            held_out,
            carry=trainer.config.carries_state,
            window=trainer.length,
            step=step,
            precision=trainer.config.precision,
        )
