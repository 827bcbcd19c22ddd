"""When training evaluates, samples, saves and adds to its curve, by the train step alone."""

from dataclasses import dataclass

from components.train.config import TrainConfig

CURVE_POINTS = 100
"""About how many points the training curve has."""


@dataclass(frozen=True, kw_only=True)
class Cadence:
    """What is due after which train step, where an epoch has `steps_per_epoch` and training `train_steps`."""

    config: TrainConfig
    steps_per_epoch: int
    train_steps: int

    @property
    def epochs(self) -> int:
        """The number of epochs, the last of which may be incomplete."""
        return self.epoch_of(self.train_steps)

    def epoch_of(self, step: int) -> int:
        """The epoch that a train step is in, from 1."""
        return -(-step // self.steps_per_epoch)

    def until_next(self, step: int) -> int:
        """Train steps to the next one after which something is due."""
        every = [self.steps_per_epoch, self.train_steps, self._curve_steps, self.config.checkpoint_steps]
        return min(steps - step % steps for steps in every if steps)

    def row_is_due(self, step: int) -> bool:
        """Whether an epoch, or training, ends at a train step."""
        return bool(step) and (step % self.steps_per_epoch == 0 or step >= self.train_steps)

    def point_is_due(self, step: int) -> bool:
        """Whether the curve gets a point."""
        return step % self._curve_steps == 0 or self.row_is_due(step)

    def checkpoint_is_due(self, step: int) -> bool:
        """Whether a checkpoint is asked for; by time one may be due besides."""
        return bool(self.config.checkpoint_steps) and step % self.config.checkpoint_steps == 0

    def samples_are_due(self, step: int, before: int) -> bool:
        """Whether samples are asked for at an epoch's end, where the epoch before ended at the train step `before`."""
        config, epoch = self.config, self.epoch_of(step)
        done, was_done = (taken * config.sample_times // self.train_steps for taken in (step, before))
        every = config.sample_every and epoch % config.sample_every == 0
        return bool(every) or epoch in config.sample_at or done > was_done

    @property
    def _curve_steps(self) -> int:
        return max(self.train_steps // CURVE_POINTS, 1)
