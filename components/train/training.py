"""The work of train: dataset in, model out, checkpoints along the way."""

from typing import Any

from components.artifacts import storage
from components.artifacts.dataset import Dataset
from components.artifacts.errors import UsageError
from components.artifacts.tensorflow import one_thread_an_operation, use_device
from components.artifacts.typed import Metrics
from components.artifacts.units import tokens_a_character_of
from components.command import log
from components.train.checkpoints import Checkpoints
from components.train.committed import newest_digest, newest_step
from components.train.config import TrainConfig
from components.train.loop import Loop
from components.train.model import metrics_of, write_model
from components.train.ownership import Ownership
from components.train.saving import Saver
from components.train.showing import LiveView
from components.train.starting import begin_with


def train(
    config: TrainConfig,
    *,
    dataset: str,
    checkpoints: str,
    model: str,
    init_digest: str = "",
    start_digest: str = "",
    task: str = "",
) -> dict[str, Any]:
    """Fit a network to the dataset at a URI and write the model, resuming from existing checkpoints.

    Args:
        config: its settings.
        dataset: URI of the dataset.
        checkpoints: URI of the checkpoints.
        model: URI of the model.
        init_digest: the digest of the newest checkpoint at `init_from` when the run began; empty to accept any.
        start_digest: the digest of what was at `start_from` then, likewise.
        task: the name of the pipeline's task, so that a retry soon takes over from a dead attempt.

    Returns:
        The URIs of checkpoints and model, and the metrics.

    Raises:
        ArtifactError: the dataset or all checkpoints are damaged, the text is too short, or the model's place holds
            something else.
        CheckpointsInUseError: another trainer owns the checkpoints.
        DivergedError: the loss or a weight is no longer finite.
        StorageError: a store fails after all retries; committed checkpoints stay.
        SystemExit: 130 on SIGINT, 143 on SIGTERM and SIGHUP, after a checkpoint was committed.
        UsageError: the checkpoints were made with other settings, their place holds something else, places overlap,
            `init_from` has a newer checkpoint than `init_digest`, `start_from` has another network, or the device is
            not available.
    """
    _check_places(config, dataset, checkpoints, model)
    device = _device(config)
    data = _dataset_at(dataset, config)
    kept = Checkpoints(checkpoints, config, data.digest)
    kept.refuse_foreign()
    with Ownership(checkpoints, task) as ownership:
        loop = Loop(config, data, kept)
        init_from = _begin(loop, checkpoints, init_digest, start_digest)
        loop.progress.device = device
        live = _live_view(loop, checkpoints)
        with Saver(kept, ownership, live) as saver:
            loop.fit(saver)
        metrics = _export(loop, model, checkpoints, init_from)
        live.end()
    return {"checkpoints": checkpoints, "model": model, "metrics": metrics}


def _check_places(config: TrainConfig, dataset: str, checkpoints: str, model: str) -> None:
    """Reject places that overlap, and a model's place that holds something else, before hours of training."""
    inputs = {"--dataset": dataset, "train.init_from": config.init_from, "train.start_from": config.start_from}
    storage.check_outputs({"--checkpoints": checkpoints, "--model": model}, inputs)
    storage.check_replaceable(storage.place_of(model), "model")


def _dataset_at(uri: str, config: TrainConfig) -> Dataset:
    with storage.incoming(uri, "dataset", log.transferred) as directory:
        data = Dataset.read(directory)
    _hold_against(data, config)
    return data


def _begin(loop: Loop, checkpoints: str, init_digest: str, start_digest: str) -> Checkpoints | None:
    """Resume training or, if there is no checkpoint, start it from a model; the checkpoints at `init_from`, if any."""
    config, data = loop.config, loop.data
    init_from = Checkpoints(config.init_from, config, data.digest) if config.init_from else None
    _check_init_from(config.init_from, init_digest, checkpoints)
    resumed = loop.restore(init_from)
    if config.start_from and not resumed:
        loop.progress.started_from = begin_with(config.start_from, start_digest, loop.trainer, data)
    return init_from


def _export(loop: Loop, model: str, checkpoints: str, init_from: Checkpoints | None) -> Metrics:
    """Write the model of the last or the best checkpoint; its metrics."""
    config, data, trainer, progress = loop.config, loop.data, loop.trainer, loop.progress
    metrics = metrics_of(config, data, trainer, loop.evaluation, progress, export=config.export)
    if config.export == "best":
        _put_back_best(loop, checkpoints, init_from)
    write_model(model, config=config, dataset=data, trainer=trainer, progress=progress, metrics=metrics)
    log.info(_summary(metrics))
    return metrics


def _device(config: TrainConfig) -> str:
    """Choose the device that training computes on.

    Raises:
        UsageError: it is not there.
    """
    try:
        device = use_device(config.device)
    except RuntimeError as error:
        raise UsageError(f"train.device: {error}") from None
    one_thread_an_operation()
    return device


def _live_view(loop: Loop, checkpoints: str) -> LiveView:
    """What others see of the training, begun at the train step that it resumes from."""
    live = LiveView(checkpoints, tokens_a_character_of(loop.data.manifest.counts))
    live.begin(min(newest_step(checkpoints) or 0, loop.progress.train_step))
    return live


def _put_back_best(loop: Loop, checkpoints: str, init_from: Checkpoints | None) -> None:
    """Restore the trainer to its best checkpoint unless it is there, which may be an older one at `init_from`.

    Raises:
        UsageError: it can't be read.
    """
    best_step = loop.progress.best_step
    if best_step == loop.progress.train_step:
        return
    # A damaged one has no substitute: a checkpoint of that train step at `init_from` may be a different one.
    elsewhere = None if loop.checkpoints.has(best_step) else init_from
    best = (elsewhere or loop.checkpoints).at(best_step)
    if best is None:
        raise UsageError(
            f"{checkpoints}: the best checkpoint, of train step {best_step:,}, can't be read; fix the storage, or set "
            "train.export=last"
        )
    loop.trainer.restore(best[1])


def _hold_against(data: Dataset, config: TrainConfig) -> None:
    """Reject a setting that has no effect with this dataset, and warn if the dataset's step has none."""
    if config.best_by == "validation_loss" and not len(data.validation):
        raise UsageError(
            "train.best_by=validation_loss has an effect only if text is held out; set vectorize.held_out above 0, "
            "or leave train.best_by at auto"
        )
    if config.evaluate_tokens != TrainConfig().evaluate_tokens and not len(data.validation):
        raise UsageError(
            "train.evaluate_tokens has an effect only if text is held out; set vectorize.held_out above 0, or unset it"
        )
    if config.carries_state and data.step != 1:
        log.warning(
            f"the dataset's windows are {data.step} tokens apart, which has no effect on training: carry_state reads "
            "the text in order"
        )


def _check_init_from(uri: str, digest: str, checkpoints: str) -> None:
    """Refuse to begin from any checkpoint at `uri` but the one that was the newest when the run began."""
    begins = digest and newest_step(checkpoints) is None
    if begins and storage.is_comparable(digest) and newest_digest(uri) != digest:
        raise UsageError(
            f"train.init_from {uri}: training has continued there since the run began; wait until it ends and run again"
        )


def _summary(metrics: Metrics) -> str:
    loss = metrics["validation_loss_nats"]
    if loss is None:
        return f"training loss {metrics['train_loss_nats']:.4f} nats per token"
    return f"held-out loss {loss:.4f} nats per token, {metrics['validation_bits_per_char']:.3f} bits per character"
