"""How many train steps fit into a given time, from the measured cost of each kind of work.

The train steps that measure the speed are undone: a step's learning rate depends on the total number of steps, so
steps taken before that number is known would differ from those of a run that was given it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

from components.artifacts.dataset import Dataset
from components.train.cadence import Cadence
from components.train.evaluation import Evaluation
from components.train.progress import Progress
from components.train.samples import texts_of
from components.train.trainer import Trainer

SECONDS_A_CALL = 0.5
"""About how long a call into TensorFlow takes: progress is shown and signals are handled between calls."""
SHARE_MEASURED = 0.02
SECONDS_MEASURED = (1.0, 5.0)
"""The speed is measured for this share of the given time, within these bounds."""


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Seconds that each kind of work takes.

    Attributes:
        step: a train step.
        evaluation: scoring the held-out text.
        samples: writing samples once.
        copy: copying a checkpoint's values, which training waits for.
        commit: committing them in parallel with training; the next checkpoint waits for it.
    """

    step: float
    evaluation: float = 0.0
    samples: float = 0.0
    copy: float = 0.0
    commit: float = 0.0

    def seen(self, progress: Progress, tokens_a_step: int, targets: int) -> Self:
        """The costs with the speed that training has had so far; `targets` are those of the held-out text."""
        a_token = progress.step_seconds / progress.step_tokens if progress.step_tokens else 0.0
        # Before the first evaluation: reading is a third of a train step's work.
        return replace(self, step=a_token * tokens_a_step, evaluation=self.evaluation or targets * a_token / 3)

    def of(self, cadence: Cadence, *, taken: int) -> float:
        """Seconds of all train steps after the one `taken`, with all that is done beside them."""
        config = cadence.config
        epochs = range(taken // cadence.steps_per_epoch + 1, cadence.epochs + 1)
        steps = cadence.train_steps - taken
        sampled = sum(epoch in epochs for epoch in config.sample_at)
        sampled += config.sample_times * steps // max(cadence.train_steps, 1)
        if config.sample_every:
            sampled += len(epochs) // config.sample_every
        working = steps * self.step + len(epochs) * self.evaluation + min(sampled, len(epochs)) * self.samples
        between = steps // config.checkpoint_steps if config.checkpoint_steps else 0
        saves = max(len(epochs) + between, int(working / config.checkpoint_seconds), 1)
        return working + saves * max(self.copy, self.commit - working / saves) + self.commit


def train_steps_within(seconds: float, costs: Costs, cadence: Cadence, *, taken: int) -> int:
    """The most train steps whose work, from `taken` on, takes at most `seconds`; `taken` if none do."""
    low, high = taken, taken + max(int(seconds / costs.step), 0)
    while low < high:
        middle = (low + high + 1) // 2
        if costs.of(replace(cadence, train_steps=middle), taken=taken) <= seconds:
            low = middle
        else:
            high = middle - 1
    return low


def next_call(count: int, seconds: float) -> int:
    """How many train steps the next call may take, when the last took `count` in `seconds`."""
    return max(1, min(2 * count, round(SECONDS_A_CALL * count / seconds)))


def measure(
    trainer: Trainer, evaluation: Evaluation, data: Dataset, *, taken: int, commit: Callable[[], None]
) -> Costs:
    """Measure each kind of work; the trainer, which has taken `taken` train steps, is restored afterwards.

    `commit` commits a checkpoint of it.
    """
    config = trainer.config
    writes = bool(config.sample_times or config.sample_every or config.sample_at)
    return Costs(
        step=step_seconds(trainer, taken),
        evaluation=evaluation.estimated_seconds(),
        samples=_seconds_of(lambda: texts_of(config, data, trainer, epoch=1)) if writes else 0.0,
        copy=_seconds_of(trainer.values),
        commit=_seconds_of(commit),
    )


def step_seconds(trainer: Trainer, taken: int = 0) -> float:
    """Seconds per train step, measured on some from number `taken` on, which are undone."""
    values = trainer.values()
    trainer.advance(taken, 1)  # traces the graph
    shortest, longest = SECONDS_MEASURED
    enough = min(max(60 * trainer.config.minutes * SHARE_MEASURED, shortest), longest)
    count, steps, seconds = 1, 0, 0.0
    while seconds < enough:
        elapsed = _seconds_of(lambda: trainer.advance(taken + steps, count))  # noqa: B023 -- called at once
        steps, seconds = steps + count, seconds + elapsed
        count = next_call(count, elapsed)
    trainer.restore(values)
    return seconds / steps


def _seconds_of(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began
