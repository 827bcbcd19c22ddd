"""The work of train: dataset in, model out, checkpoints along the way."""

import signal
import time
from typing import Any

from components.artifacts import storage
from components.artifacts.errors import UsageError
from components.artifacts.tensorflow import use_device
from components.command import log
from components.generator.stepping import parameters
from components.train.checkpoints import Checkpoints, Progress
from components.train.config import TrainConfig
from components.train.data import Dataset
from components.train.evaluation import Evaluation
from components.train.model import metrics_of, write_model
from components.train.samples import write_samples
from components.train.trainer import Trainer

SECONDS_A_CALL = 0.5
"""How long one call into TensorFlow takes, about: between calls progress shows and signals are heeded."""


def train(config: TrainConfig, *, dataset: str, checkpoints: str, model: str) -> dict[str, Any]:
    """Fit a network to the dataset at a URI and write the model, going on from checkpoints that are there.

    Returns:
        The URIs of checkpoints and model, and the metrics.

    Raises:
        ArtifactError: the dataset or all checkpoints are damaged, or the text is too short.
        UsageError: the checkpoints were made with other settings, or the device is not there.
        SystemExit: 143, on SIGTERM, after a checkpoint was saved.
    """
    try:
        device = use_device(config.device)
    except RuntimeError as error:
        raise UsageError(f"train.device: {error}") from None
    with storage.incoming(dataset, "dataset") as directory:
        data = Dataset.read(directory)
    run = _Run(config, data, Checkpoints(checkpoints, config, data.digest))
    run.restore()
    run.fit()
    metrics = run.metrics(device)
    run.restore_exported()
    write_model(model, config=config, dataset=data, trainer=run.trainer, progress=run.progress, metrics=metrics)
    log.info(_summary(metrics))
    return {"checkpoints": checkpoints, "model": model, "metrics": metrics}


class _Run:
    """One run of training: the trainer, how far it is, and when to evaluate, sample and save."""

    def __init__(self, config: TrainConfig, data: Dataset, checkpoints: Checkpoints) -> None:
        self.config = config
        self.data = data
        self.checkpoints = checkpoints
        self.trainer = Trainer(config, data)
        self.evaluation = Evaluation(self.trainer, data.validation, step=data.step)
        self.progress = Progress()
        self._stop = False
        self._steps_a_call = 1
        self._traced = False

    def restore(self) -> None:
        """Go on from the newest checkpoint, if there is one."""
        if self.config.start_anew:
            self.checkpoints.clear()
        shape = self.trainer.architecture
        log.info(
            f"{shape.layers} x LSTM {shape.units}, {parameters(self.trainer.network):,} parameters; "
            f"{self.trainer.train_steps:,} train steps of {self.config.batch} x {self.trainer.length} tokens"
        )
        if found := self.checkpoints.newest():
            self.progress, values = found
            self.trainer.restore(values)
            log.info(f"resumed at train step {self.progress.train_step:,}")

    def restore_exported(self) -> None:
        """Put back the weights that become the model."""
        if self.config.export == "best" and self.progress.best_step != self.progress.train_step:
            best = self.checkpoints.at(self.progress.best_step)
            if best is not None:
                self.trainer.restore(best[1])

    def fit(self) -> None:
        """Take all train steps that are left."""
        previous = signal.signal(signal.SIGTERM, lambda *_: setattr(self, "_stop", True))
        started = time.monotonic() - self.progress.seconds
        try:
            while self.progress.train_step < self.trainer.train_steps:
                self._advance()
                at_milestone = self._ends_epoch()
                if at_milestone:
                    self._end_epoch()
                self.progress.seconds = time.monotonic() - started
                if at_milestone or self._stop or self._is_due(self.config.checkpoint_steps):
                    self.checkpoints.save(self.progress, self.trainer.values())
                if self._stop and self.progress.train_step < self.trainer.train_steps:
                    log.warning(f"stopped by SIGTERM, saved at train step {self.progress.train_step:,}")
                    raise SystemExit(143)
        finally:
            signal.signal(signal.SIGTERM, previous)

    def _advance(self) -> None:
        progress = self.progress
        count = min(self._steps_a_call, *(self._until(every) for every in self._cadences()))
        began = time.monotonic()
        nats, targets = self.trainer.advance(progress.train_step, count)
        elapsed = time.monotonic() - began
        progress.train_step += count
        progress.epoch_nats += nats
        progress.epoch_targets += targets
        if self._traced:
            progress.step_seconds += elapsed
            progress.step_tokens += targets * (1 if self.config.objective == "sequence" else self.trainer.length)
            self._steps_a_call = max(1, min(2 * self._steps_a_call, round(SECONDS_A_CALL * count / elapsed)))
        self._traced = True
        self._show()

    def _cadences(self) -> list[int]:
        steps = [self.trainer.order.steps_per_epoch, self.trainer.train_steps]
        return [*steps, self.config.checkpoint_steps] if self.config.checkpoint_steps else steps

    def _until(self, every: int) -> int:
        """Train steps to the next multiple of `every`."""
        return every - self.progress.train_step % every

    def _is_due(self, every: int) -> bool:
        return bool(every) and self.progress.train_step % every == 0

    def _ends_epoch(self) -> bool:
        ended = self.progress.train_step == self.trainer.train_steps
        return ended or self._is_due(self.trainer.order.steps_per_epoch)

    def _end_epoch(self) -> None:
        """Evaluate, note the epoch's row, and write samples where they are asked for."""
        progress, config = self.progress, self.config
        train_loss = progress.epoch_nats / progress.epoch_targets
        progress.epoch_nats, progress.epoch_targets = 0.0, 0
        validation_loss = self.evaluation()
        by_validation = config.best_by != "training_loss" and validation_loss is not None
        loss = validation_loss if by_validation and validation_loss is not None else train_loss
        if progress.best_loss is None or loss < progress.best_loss:
            progress.best_loss, progress.best_step = loss, progress.train_step
        epoch = -(-progress.train_step // self.trainer.order.steps_per_epoch)
        row: dict[str, Any] = {
            "epoch": epoch,
            "train_step": progress.train_step,
            "train_loss_nats": train_loss,
            "validation_loss_nats": validation_loss,
            "tokens_per_second": self._tokens_per_second(),
        }
        held_out = "" if validation_loss is None else f", held-out {validation_loss:.4f}"
        log.info(f"epoch {epoch}: loss {train_loss:.4f}{held_out} nats")
        if epoch in config.sample_at or (config.sample_every and epoch % config.sample_every == 0):
            row["samples"] = write_samples(config, self.data, self.trainer, epoch=epoch)
        progress.history.append(row)

    def _show(self) -> None:
        progress, total = self.progress, self.trainer.train_steps
        if not progress.epoch_targets:
            return
        speed = self._tokens_per_second()
        left = (total - progress.train_step) * progress.step_seconds
        done = progress.step_tokens / (self.config.batch * self.trainer.length)
        log.progress(
            f"step {progress.train_step:,}/{total:,}  loss {progress.epoch_nats / progress.epoch_targets:.4f} nats"
            + (f"  {speed:,.0f} tokens/s  {log.duration(left / done)} left" if done else "")
        )

    def _tokens_per_second(self) -> float:
        return self.progress.step_tokens / self.progress.step_seconds if self.progress.step_seconds else 0.0

    def metrics(self, device: str) -> dict[str, Any]:
        """What metrics.json says of the exported checkpoint."""
        return metrics_of(self.config, self.data, self.trainer, self.evaluation.protocol, self.progress, device)


def _summary(metrics: dict[str, Any]) -> str:
    loss = metrics["validation_loss_nats"]
    if loss is None:
        return f"training loss {metrics['train_loss_nats']:.4f} nats per token"
    return f"held-out loss {loss:.4f} nats per token, {metrics['validation_bits_per_char']:.3f} bits per character"
