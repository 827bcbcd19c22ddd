"""One run of training: how far it is, and when to evaluate, sample, save and stop."""

import time
from dataclasses import replace
from typing import Any

from components.artifacts.dataset import Dataset
from components.artifacts.errors import UsageError
from components.command import log
from components.generator.network import summary
from components.train.checkpoints import Checkpoints, Progress
from components.train.config import TrainConfig
from components.train.divergence import check_finite, worst_of
from components.train.evaluation import Evaluation
from components.train.pacing import Costs, measure, next_call, train_steps_within
from components.train.samples import warn_of_epochs_never_reached, write_samples
from components.train.saving import Saver
from components.train.stopping import Stopping
from components.train.trainer import Trainer

CURVE_POINTS = 100
"""How many points the training curve has, about."""


class Run:
    """Trains from where its checkpoints are to the end.

    A train step that ends an epoch is followed by an evaluation and a row in the history. Whether that row is
    still owed follows from the progress itself, so a run may be stopped between the two.
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

    def restore(self, init_from: Checkpoints | None) -> None:
        """Go on from the newest checkpoint, if there is one, here or else in `init_from`.

        Raises:
            UsageError: more train steps are taken than are asked for, or `init_from` holds no checkpoint.
        """
        config = self.config
        log.info(summary(self.trainer.network))
        found = None if config.start_anew else self.checkpoints.newest()
        found = found or (init_from.existing() if init_from else None)
        if config.start_anew:  # not before it is known what to go on from
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
            log.info(f"{config.minutes:g} minutes of {shape}; how many that is, their speed will tell")
        else:
            log.info(f"{self.trainer.train_steps:,} {shape}")
            self.progress.minutes, self.progress.train_steps = config.minutes, self.trainer.train_steps
            warn_of_epochs_never_reached(config, self._epochs)
        self._resume()

    def _resume(self) -> None:
        """Say, and note, that training is taken up again, where it is."""
        taken, wanted = self.progress.train_step, self.trainer.train_steps
        if self._is_measured and taken > wanted:
            raise UsageError(
                f"the checkpoints are at train step {taken:,} already, past the {wanted:,} of train.epochs, "
                "train.train_steps or train.minutes; ask for more, choose another place, or set train.start_anew"
            )
        if self._is_measured and taken == wanted:
            log.info(f"all {taken:,} train steps are taken already")
        elif taken:
            self.progress.resumed_at.append(taken)
            log.info(f"resumed at train step {taken:,}")

    def fit(self, saver: Saver) -> None:
        """Take all train steps that are left.

        Raises:
            SystemExit: 130 on SIGINT, 143 on SIGTERM and SIGHUP, when what was done is committed.
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
                elif (
                    self._is_due(self.config.checkpoint_steps)
                    or self._seconds_unsaved() > self.config.checkpoint_seconds
                ):
                    self._save(saver)
                stopping.if_asked()

    def _set_train_steps(self, saver: Saver) -> None:
        """Measure what each kind of work costs here, and set how many train steps the time that is given holds."""
        progress, config, trainer = self.progress, self.config, self.trainer

        def commit() -> None:
            self._save(saver)
            saver.wait()

        log.progress("measuring the speed")
        costs = measure(trainer, self.evaluation, self.data, taken=progress.train_step, commit=commit)
        spent = time.monotonic() - self._started
        train_steps = train_steps_within(
            60 * config.minutes - spent,
            costs,
            config,
            taken=progress.train_step,
            steps_per_epoch=trainer.order.steps_per_epoch,
        )
        if train_steps == progress.train_step:
            raise UsageError(
                f"train.minutes: {config.minutes:g} leave no time for a train step: {log.duration(spent)} of them are "
                "spent, on getting ready and on what was trained before; give more"
            )
        trainer.spread_over(train_steps)
        self._is_measured, self._steps_a_call, self._costs = True, 1, costs
        progress.minutes, progress.train_steps = config.minutes, train_steps
        log.info(f"{train_steps:,} train steps make {config.minutes:g} minutes, at {1000 * costs.step:.3g} ms each")
        warn_of_epochs_never_reached(config, self._epochs)
        self._save(saver)

    @property
    def _epochs(self) -> int:
        """How many epochs training has, the last of which may be cut short."""
        return -(-self.trainer.train_steps // self.trainer.order.steps_per_epoch)

    def _advance(self) -> None:
        progress = self.progress
        count = min(max(self._steps_a_call, 1), *(self._until(every) for every in self._cadences()))
        began = time.monotonic()
        nats, targets = self.trainer.advance(progress.train_step, count)
        elapsed = time.monotonic() - began
        self._check_finite(
            nats, f"the loss of train steps {progress.train_step + 1:,} to {progress.train_step + count:,}"
        )
        progress.train_step += count
        progress.epoch_nats += nats
        progress.epoch_targets += targets
        progress.curve_nats += nats
        progress.curve_targets += targets
        if self._steps_a_call:
            progress.step_seconds += elapsed
            progress.step_tokens += targets * (1 if self.config.objective == "sequence" else self.trainer.length)
            self._steps_a_call = next_call(count, elapsed)
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

    @property
    def _curve_steps(self) -> int:
        return max(self.trainer.train_steps // CURVE_POINTS, 1)

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

    def _end_epoch(self, saver: Saver, stopping: Stopping) -> None:
        """Evaluate, note the epoch's row, write samples where they are asked for, and save."""
        progress, config = self.progress, self.config
        validation_loss = self._evaluate(stopping)
        self._check_finite(validation_loss or 0.0, f"the held-out loss after train step {progress.train_step:,}")
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
            began = time.monotonic()
            row["samples"] = write_samples(config, self.data, self.trainer, epoch=epoch)
            self._costs = replace(self._costs, samples=time.monotonic() - began)
        progress.history.append(row)
        progress.epoch_nats, progress.epoch_targets, progress.curve = 0.0, 0, []
        self._save(saver)

    def _evaluate(self, stopping: Stopping) -> float | None:
        """The held-out loss, with a word on how far its scoring is; None where no text is held out."""
        began, left = time.monotonic(), self._seconds_left()

        def between(scored: int) -> None:
            stopping.if_asked()
            still = log.duration(max(left - (time.monotonic() - began), 0))
            log.progress(f"held-out text: {scored:,}/{self.evaluation.targets:,} tokens scored  {still} left")

        loss = self.evaluation(between)
        self._costs = replace(self._costs, evaluation=time.monotonic() - began)
        return loss

    def _samples_are_due(self, epoch: int) -> bool:
        """Whether samples are asked for after this epoch, whose row is not in the history yet."""
        config, progress = self.config, self.progress
        before = progress.history[-1]["train_step"] if progress.history else 0
        done, was_done = (
            step * config.sample_times // self.trainer.train_steps for step in (progress.train_step, before)
        )
        every = config.sample_every and epoch % config.sample_every == 0
        return bool(every) or epoch in config.sample_at or done > was_done

    def _save_unsaved(self, saver: Saver) -> None:
        if self._saved_step != self.progress.train_step:
            self._save(saver)
        saver.wait()

    def _check_finite(self, number: float, what: str) -> None:
        check_finite(number, what, self.config, saved=self._saved_step)

    def _save(self, saver: Saver) -> None:
        self.progress.seconds = time.monotonic() - self._started
        values = self.trainer.values()
        # A step may leave such values after a loss that was finite, and nothing can go on from them.
        self._check_finite(
            worst_of(values), f"a value of the network or its optimizer after train step {self.progress.train_step:,}"
        )
        saver.save(self.progress, values)
        self._saved_step, self._saved_at = self.progress.train_step, time.monotonic()

    def _seconds_unsaved(self) -> float:
        return time.monotonic() - self._saved_at

    def _show(self) -> None:
        progress, total = self.progress, self.trainer.train_steps
        line = f"step {progress.train_step:,}/{total:,}  loss {progress.epoch_nats / progress.epoch_targets:.4f} nats"
        if progress.step_tokens:
            line += f"  {self._tokens_per_second():,.0f} tokens/s  {log.duration(self._seconds_left())} left"
        log.progress(line)

    def _seconds_left(self) -> float:
        progress = self.progress
        if not progress.step_tokens:
            return 0.0
        a_token = progress.step_seconds / progress.step_tokens
        # Until the held-out text was scored once: reading is a third of a train step's work.
        evaluation = self._costs.evaluation or self.evaluation.targets * a_token / 3
        step = a_token * self.config.batch * self.trainer.length
        return replace(self._costs, step=step, evaluation=evaluation).of(
            self.config,
            taken=progress.train_step - self._owes_row(),  # the evaluation that is owed is part of what is left
            train_steps=progress.train_steps,
            steps_per_epoch=self.trainer.order.steps_per_epoch,
        )

    def _tokens_per_second(self) -> float:
        return self.progress.step_tokens / self.progress.step_seconds if self.progress.step_seconds else 0.0
