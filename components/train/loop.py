"""The loop of training: train steps, and between them evaluating, sampling, saving and stopping."""

import time
from dataclasses import replace

from components.artifacts.dataset import Dataset
from components.artifacts.errors import UsageError
from components.command import log
from components.generator.network import summary
from components.train.cadence import Cadence
from components.train.checkpoints import Checkpoints
from components.train.config import TrainConfig
from components.train.divergence import check_finite, worst_of
from components.train.evaluation import Evaluation
from components.train.pacing import Costs, measure, next_call, train_steps_within
from components.train.progress import Progress
from components.train.samples import warn_of_epochs_never_reached, write_samples
from components.train.saving import Saver
from components.train.stopping import Stopping
from components.train.trainer import Trainer


class Loop:
    """Trains from where its checkpoints are to the end.

    A train step that ends an epoch is followed by an evaluation and a row in the history. Whether that row is
    still owed follows from the progress itself, so training may be stopped between the two.
    """

    def __init__(self, config: TrainConfig, data: Dataset, checkpoints: Checkpoints) -> None:
        self._started = time.monotonic()
        self.config = config
        self.data = data
        self.checkpoints = checkpoints
        self.trainer = Trainer(config, data)
        self.evaluation = Evaluation(self.trainer, data.held_out(config.evaluate_tokens), step=data.step)
        self.progress = Progress()
        self._steps_a_call = 0  # until the graph is traced
        self._is_measured = not config.minutes  # whether the number of train steps is known
        self._speed_since = (0.0, 0)  # step seconds and tokens at the curve's last point
        self._costs = Costs(step=0.0)
        self._saved_step = 0
        self._saved_at = time.monotonic()

    @property
    def cadence(self) -> Cadence:
        """What is due when, by the number of train steps as it is known now."""
        steps_per_epoch = self.trainer.order.steps_per_epoch
        return Cadence(config=self.config, steps_per_epoch=steps_per_epoch, train_steps=self.trainer.train_steps)

    def restore(self, init_from: Checkpoints | None) -> bool:
        """Resume from the newest checkpoint, if there is one, here or else in `init_from`; whether there was one.

        Raises:
            UsageError: more train steps are taken than were asked for, or `init_from` holds no checkpoint.
        """
        config = self.config
        log.info(summary(self.trainer.network))
        found = None if config.start_anew else self.checkpoints.newest()
        found = found or (init_from.existing() if init_from else None)
        if config.start_anew:  # only after it is known where to resume from
            self.checkpoints.clear()
        self.checkpoints.sweep()
        if found is not None:
            self.progress, values = found
            self.trainer.restore(values)
            self._saved_step = self.progress.train_step
        if config.minutes and self.progress.minutes == config.minutes:
            self.trainer.spread_over(self.progress.train_steps)
            self._is_measured = True
        shape = f"train steps of {config.batch} x {self.trainer.length} tokens"
        if not self._is_measured:
            log.info(f"{config.minutes:g} minutes of {shape}; their speed will give the number")
        else:
            log.info(f"{self.trainer.train_steps:,} {shape}")
            self.progress.minutes, self.progress.train_steps = config.minutes, self.trainer.train_steps
            warn_of_epochs_never_reached(config, self.cadence.epochs)
        self._resume()
        return found is not None

    def _resume(self) -> None:
        """Log and record that training is resumed."""
        taken, wanted = self.progress.train_step, self.trainer.train_steps
        if self._is_measured and taken > wanted:
            raise UsageError(
                f"the checkpoints are already at train step {taken:,}, past the {wanted:,} of train.epochs, "
                "train.train_steps or train.minutes; ask for more, choose another place, or set train.start_anew"
            )
        if self._is_measured and taken == wanted:
            log.info(f"all {taken:,} train steps have been taken already")
        elif taken:
            self.progress.resumed_at.append(taken)
            log.info(f"resumed at train step {taken:,}")

    def fit(self, saver: Saver) -> None:
        """Take all remaining train steps.

        Raises:
            SystemExit: 130 on SIGINT, 143 on SIGTERM and SIGHUP, after a checkpoint is committed.
        """
        self._started -= self.progress.seconds
        self._speed_since = self.progress.step_seconds, self.progress.step_tokens
        stopping = Stopping(
            taken=lambda: self.progress.train_step,
            saved=lambda: self._saved_step,
            save=lambda: self._save_unsaved(saver),
        )
        with stopping.heeded():
            if not self._is_measured:
                self._set_train_steps(saver)
            if self._owes_row():
                self._end_epoch(saver, stopping)
            while self.progress.train_step < self.trainer.train_steps:
                self._advance()
                if self._owes_row():
                    self._end_epoch(saver, stopping)
                elif self._owes_checkpoint():
                    self._save(saver)
                stopping.if_asked()

    def _set_train_steps(self, saver: Saver) -> None:
        """Measure the cost of each kind of work, and set the number of train steps that fit into the given time."""
        progress, config, trainer = self.progress, self.config, self.trainer

        def commit() -> None:
            self._save(saver)
            saver.wait()

        log.progress("measuring the speed")
        costs = measure(trainer, self.evaluation, self.data, taken=progress.train_step, commit=commit)
        spent = self._seconds()
        train_steps = train_steps_within(
            60 * config.minutes - spent,
            costs,
            self.cadence,
            taken=progress.train_step,
        )
        if train_steps == progress.train_step:
            raise UsageError(
                f"train.minutes: {config.minutes:g} leaves no time for a train step: {log.duration(spent)} of it is "
                "spent, on getting ready and on what was trained before; give more"
            )
        trainer.spread_over(train_steps)
        self._is_measured, self._steps_a_call, self._costs = True, 1, costs
        progress.minutes, progress.train_steps = config.minutes, train_steps
        log.info(f"{train_steps:,} train steps fit into {config.minutes:g} minutes, at {1000 * costs.step:.3g} ms each")
        warn_of_epochs_never_reached(config, self.cadence.epochs)
        self._save(saver)

    def _advance(self) -> None:
        """Take some train steps in one call, no further than to where something is due."""
        progress, cadence = self.progress, self.cadence
        count = min(max(self._steps_a_call, 1), cadence.until_next(progress.train_step))
        began = time.monotonic()
        nats, targets = self.trainer.advance(progress.train_step, count)
        elapsed = time.monotonic() - began
        first = progress.train_step + 1
        self._check_finite(nats, f"the loss of train steps {first:,} to {progress.train_step + count:,}")
        progress.take(count, nats, targets)
        if self._steps_a_call:
            progress.step_seconds += elapsed
            progress.step_tokens += targets * (1 if self.config.objective == "sequence" else self.trainer.length)
            self._steps_a_call = next_call(count, elapsed)
        else:
            self._steps_a_call = 1
        if cadence.point_is_due(progress.train_step):
            self._add_to_curve()
        self._show()

    def _add_to_curve(self) -> None:
        progress, (seconds, tokens) = self.progress, self._speed_since
        self._speed_since = progress.step_seconds, progress.step_tokens
        measured = progress.step_seconds - seconds
        progress.add_to_curve(
            learning_rate=self.trainer.rate_at(progress.train_step - 1),
            tokens_per_second=(progress.step_tokens - tokens) / measured if measured else None,
            seconds=self._seconds(),
        )

    def _owes_row(self) -> bool:
        """Whether an epoch, or training, has ended and its row is still missing in the history."""
        step = self.progress.train_step
        return self.cadence.row_is_due(step) and self.progress.last_row_at != step

    def _owes_checkpoint(self) -> bool:
        unsaved = time.monotonic() - self._saved_at
        return self.cadence.checkpoint_is_due(self.progress.train_step) or unsaved > self.config.checkpoint_seconds

    def _end_epoch(self, saver: Saver, stopping: Stopping) -> None:
        """Evaluate, add the epoch's row, write samples if they are due, and save."""
        progress, config = self.progress, self.config
        validation_loss = self._evaluate(stopping)
        self._check_finite(validation_loss or 0.0, f"the held-out loss after train step {progress.train_step:,}")
        train_loss = progress.epoch_loss
        by_training = config.best_by == "training_loss" or validation_loss is None
        progress.note_loss(train_loss if by_training or validation_loss is None else validation_loss)
        epoch = self.cadence.epoch_of(progress.train_step)
        row = progress.row(epoch, validation_loss, self._seconds())
        held_out = "" if validation_loss is None else f", held-out {validation_loss:.4f}"
        log.info(f"epoch {epoch}: loss {train_loss:.4f}{held_out} nats")
        if self.cadence.samples_are_due(progress.train_step, progress.last_row_at):
            began = time.monotonic()
            row["samples"] = write_samples(config, self.data, self.trainer, epoch=epoch)
            self._costs = replace(self._costs, samples=time.monotonic() - began)
        progress.end_epoch(row)
        self._save(saver)

    def _evaluate(self, stopping: Stopping) -> float | None:
        """The held-out loss, with progress while scoring; None if no text is held out."""
        began, left = time.monotonic(), self._seconds_left()

        def between(scored: int) -> None:
            stopping.if_asked()
            still = log.duration(max(left - (time.monotonic() - began), 0))
            log.progress(f"held-out text: {scored:,}/{self.evaluation.targets:,} tokens scored  {still} left")

        loss = self.evaluation(between)
        self._costs = replace(self._costs, evaluation=time.monotonic() - began)
        return loss

    def _save_unsaved(self, saver: Saver) -> None:
        if self._saved_step != self.progress.train_step:
            self._save(saver)
        saver.wait()

    def _check_finite(self, number: float, what: str) -> None:
        check_finite(number, what, self.config, saved=self._saved_step)

    def _save(self, saver: Saver) -> None:
        self.progress.seconds = self._seconds()
        values = self.trainer.values()
        # A step may leave such values even if its loss was finite, and training can't resume from them.
        self._check_finite(
            worst_of(values), f"a value of the network or its optimizer after train step {self.progress.train_step:,}"
        )
        is_timed = self._is_measured and self.progress.step_tokens
        saver.save(self.progress, values, self._seconds_left() if is_timed else None)
        self._saved_step, self._saved_at = self.progress.train_step, time.monotonic()

    def _show(self) -> None:
        progress, total = self.progress, self.trainer.train_steps
        line = f"step {progress.train_step:,}/{total:,}  loss {progress.epoch_loss:.4f} nats"
        if progress.step_tokens:
            line += f"  {progress.tokens_per_second:,.0f} tokens/s  {log.duration(self._seconds_left())} left"
        log.progress(line)

    def _seconds(self) -> float:
        """Wall time of training so far, with that of the earlier runs that it resumes."""
        return time.monotonic() - self._started

    def _seconds_left(self) -> float:
        taken = self.progress.train_step - self._owes_row()  # a missing evaluation is part of what is left
        costs = self._costs.seen(self.progress, self.config.batch * self.trainer.length, self.evaluation.targets)
        return costs.of(self.cadence, taken=taken) if costs.step else 0.0
