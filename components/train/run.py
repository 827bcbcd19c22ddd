"""One run of training: how far it is, and when to evaluate, sample, save and stop."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NoReturn

from components.artifacts.dataset import Dataset
from components.artifacts.errors import UsageError
from components.command import log
from components.generator.network import summary
from components.train.checkpoints import Checkpoints, Progress, Saver
from components.train.config import TrainConfig
from components.train.evaluation import Evaluation
from components.train.samples import write_samples
from components.train.trainer import Trainer

SECONDS_A_CALL = 0.5
"""How long one call into TensorFlow takes, about: between calls progress shows and signals are heeded."""
CURVE_POINTS = 100
"""How many points the training curve has, about."""


class Run:
    """Trains from where its checkpoints are to the end.

    A train step that ends an epoch is followed by an evaluation and a row in the history. Whether that row is
    still owed follows from the progress itself, so a run may be stopped between the two.
    """

    def __init__(self, config: TrainConfig, data: Dataset, checkpoints: Checkpoints) -> None:
        self.config = config
        self.data = data
        self.checkpoints = checkpoints
        self.trainer = Trainer(config, data)
        self.evaluation = Evaluation(self.trainer, data.validation, step=data.step)
        self.progress = Progress()
        self._steps_a_call = 0  # until the graph is traced
        self._curve_steps = max(self.trainer.train_steps // CURVE_POINTS, 1)
        self._speed_since = (0.0, 0)  # step seconds and tokens at the curve's last point
        self._signals: list[int] = []  # those that ask it to stop, as they came
        self._stopping = False
        self._saved_step = 0
        self._saved_at = time.monotonic()
        self._started = time.monotonic()

    def restore(self, init_from: Checkpoints | None) -> None:
        """Go on from the newest checkpoint, if there is one, here or else in `init_from`.

        Raises:
            UsageError: more train steps are taken than are asked for.
        """
        if self.config.start_anew:
            self.checkpoints.clear()
        self.checkpoints.sweep()
        log.info(summary(self.trainer.network))
        log.info(f"{self.trainer.train_steps:,} train steps of {self.config.batch} x {self.trainer.length} tokens")
        found = self.checkpoints.newest() or (init_from.newest() if init_from else None)
        if found is None:
            return
        self.progress, values = found
        self.trainer.restore(values)
        self._saved_step = self.progress.train_step
        taken, wanted = self.progress.train_step, self.trainer.train_steps
        if taken > wanted:
            raise UsageError(
                f"the checkpoints are at train step {taken:,} already, past the {wanted:,} of train.epochs and "
                "train.train_steps; ask for more, choose another place, or set train.start_anew"
            )
        if taken == wanted:
            log.info(f"all {taken:,} train steps are taken already")
        else:
            self.progress.resumed_at.append(taken)
            log.info(f"resumed at train step {taken:,}")

    def fit(self, saver: Saver) -> None:
        """Take all train steps that are left.

        Raises:
            SystemExit: 143 on SIGTERM, 130 on SIGINT, when what was done is committed.
        """
        self._started = time.monotonic() - self.progress.seconds
        self._speed_since = self.progress.step_seconds, self.progress.step_tokens
        with self._heeding_signals(saver):
            if self._owes_row():
                self._end_epoch(saver)
            while self.progress.train_step < self.trainer.train_steps:
                self._advance()
                if self._owes_row():
                    self._end_epoch(saver)
                elif (
                    self._is_due(self.config.checkpoint_steps)
                    or self._seconds_unsaved() > self.config.checkpoint_seconds
                ):
                    self._save(saver)
                if self._signals:
                    self._stop(saver)

    @contextmanager
    def _heeding_signals(self, saver: Saver) -> Iterator[None]:
        """Stop on SIGTERM, and on SIGINT unless the caller ignores it."""
        ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        numbers = [signal.SIGTERM] if ignored else [signal.SIGTERM, signal.SIGINT]
        previous = {number: signal.signal(number, partial(self._heed, saver)) for number in numbers}
        try:
            yield
        finally:
            if not self._stopping:  # else the process ends, and not before it has let go of its checkpoints
                for number, handler in previous.items():
                    signal.signal(number, handler)

    def _heed(self, saver: Saver, number: int, _: object) -> None:
        """Note a signal, at which the call under way is the last; a second SIGINT ends the process at once."""
        if number == signal.SIGINT and number in self._signals:
            log.error("interrupted before all was saved", 130)
            os._exit(130)  # what is under way in other threads is not waited for
        self._signals.append(number)
        if number == signal.SIGINT and self.progress.train_step:
            log.warning("saving; press Ctrl-C again to stop at once")
        # With nothing to lose no call need end first.
        if self._saved_step == self.progress.train_step and not self._stopping:
            self._stop(saver)

    def _stop(self, saver: Saver) -> NoReturn:
        self._stopping = True
        if self._saved_step != self.progress.train_step:
            self._save(saver)
        saver.wait()
        step = self.progress.train_step
        saved = f"saved at train step {step:,}" if step else "no train step is taken yet, so nothing is saved"
        log.warning(f"{'interrupted' if self._signals[0] == signal.SIGINT else 'stopped by SIGTERM'}; {saved}")
        raise SystemExit(128 + self._signals[0])

    def _advance(self) -> None:
        progress = self.progress
        count = min(max(self._steps_a_call, 1), *(self._until(every) for every in self._cadences()))
        began = time.monotonic()
        nats, targets = self.trainer.advance(progress.train_step, count)
        elapsed = time.monotonic() - began
        progress.train_step += count
        progress.epoch_nats += nats
        progress.epoch_targets += targets
        progress.curve_nats += nats
        progress.curve_targets += targets
        if self._steps_a_call:
            progress.step_seconds += elapsed
            progress.step_tokens += targets * (1 if self.config.objective == "sequence" else self.trainer.length)
            self._steps_a_call = max(1, min(2 * self._steps_a_call, round(SECONDS_A_CALL * count / elapsed)))
        else:
            self._steps_a_call = 1
        if self._is_due(self._curve_steps) or self._owes_row():
            self._add_to_curve()
        self._show()

    def _add_to_curve(self) -> None:
        """Note the training loss since the curve's last point, as told by steps alone, so it is the same each time."""
        progress = self.progress
        seconds, tokens = self._speed_since
        self._speed_since = progress.step_seconds, progress.step_tokens
        measured = progress.step_seconds - seconds
        progress.curve.append(
            {
                "train_step": progress.train_step,
                "train_loss_nats": progress.curve_nats / progress.curve_targets,
                "learning_rate": self.trainer.rate_at(progress.train_step - 1),
                "tokens_per_second": (progress.step_tokens - tokens) / measured if measured else None,
                "seconds": time.monotonic() - self._started,
            }
        )
        progress.curve_nats, progress.curve_targets = 0.0, 0

    def _cadences(self) -> list[int]:
        steps = [self.trainer.order.steps_per_epoch, self.trainer.train_steps, self._curve_steps]
        return [*steps, self.config.checkpoint_steps] if self.config.checkpoint_steps else steps

    def _until(self, every: int) -> int:
        """Train steps to the next multiple of `every`."""
        return every - self.progress.train_step % every

    def _is_due(self, every: int) -> bool:
        return bool(every) and self.progress.train_step % every == 0

    def _owes_row(self) -> bool:
        """Whether an epoch, or training, has ended and its row is not in the history yet."""
        step = self.progress.train_step
        ended = self._is_due(self.trainer.order.steps_per_epoch) or step >= self.trainer.train_steps
        rows = self.progress.history
        return bool(step) and ended and not (rows and rows[-1]["train_step"] == step)

    def _end_epoch(self, saver: Saver) -> None:
        """Evaluate, note the epoch's row, write samples where they are asked for, and save."""
        progress, config = self.progress, self.config
        validation_loss = self.evaluation(lambda: self._stop(saver) if self._signals else None)
        train_loss = progress.epoch_nats / progress.epoch_targets
        loss = train_loss if config.best_by == "training_loss" or validation_loss is None else validation_loss
        if progress.best_loss is None or loss < progress.best_loss:
            progress.best_loss, progress.best_step = loss, progress.train_step
        epoch = -(-progress.train_step // self.trainer.order.steps_per_epoch)
        row: dict[str, Any] = {
            "epoch": epoch,
            "train_step": progress.train_step,
            "train_loss_nats": train_loss,
            "validation_loss_nats": validation_loss,
            "tokens_per_second": self._tokens_per_second(),
            "seconds": time.monotonic() - self._started,
            "curve": progress.curve,
            "resumed_at": progress.resumed_at[sum(len(row.get("resumed_at", [])) for row in progress.history) :],
        }
        held_out = "" if validation_loss is None else f", held-out {validation_loss:.4f}"
        log.info(f"epoch {epoch}: loss {train_loss:.4f}{held_out} nats")
        if self._samples_are_due(epoch):
            row["samples"] = write_samples(config, self.data, self.trainer, epoch=epoch)
        progress.history.append(row)
        progress.epoch_nats, progress.epoch_targets, progress.curve = 0.0, 0, []
        self._save(saver)

    def _samples_are_due(self, epoch: int) -> bool:
        """Whether samples are asked for after this epoch, whose row is not in the history yet."""
        config, progress = self.config, self.progress
        before = progress.history[-1]["train_step"] if progress.history else 0
        done, was_done = (
            step * config.sample_times // self.trainer.train_steps for step in (progress.train_step, before)
        )
        every = config.sample_every and epoch % config.sample_every == 0
        return bool(every) or epoch in config.sample_at or done > was_done

    def _save(self, saver: Saver) -> None:
        self.progress.seconds = time.monotonic() - self._started
        saver.save(self.progress, self.trainer.values())
        self._saved_step, self._saved_at = self.progress.train_step, time.monotonic()

    def _seconds_unsaved(self) -> float:
        return time.monotonic() - self._saved_at

    def _show(self) -> None:
        progress, total = self.progress, self.trainer.train_steps
        line = f"step {progress.train_step:,}/{total:,}  loss {progress.epoch_nats / progress.epoch_targets:.4f} nats"
        if progress.step_tokens:
            done = progress.step_tokens / (self.config.batch * self.trainer.length)
            left = (total - progress.train_step) * progress.step_seconds / done
            line += f"  {self._tokens_per_second():,.0f} tokens/s  {log.duration(left)} left"
        log.progress(line)

    def _tokens_per_second(self) -> float:
        return self.progress.step_tokens / self.progress.step_seconds if self.progress.step_seconds else 0.0
