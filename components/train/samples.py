"""Samples written during training, as the tutorials print them after an epoch."""

from dataclasses import replace

import numpy as np

from components.artifacts.dataset import Dataset
from components.artifacts.typed import Sample
from components.command import log
from components.generator.model import trained_for
from components.generator.network import stepper_of
from components.generator.rows import Request
from components.generator.writing import Tiling, Writer
from components.train.config import TrainConfig
from components.train.trainer import Trainer


def write_samples(config: TrainConfig, dataset: Dataset, trainer: Trainer, *, epoch: int) -> list[Sample]:
    """Write one text per temperature from a random window of the training text; log and return them."""
    rows = texts_of(config, dataset, trainer, epoch=epoch)
    for row in rows:
        log.info(f"sample at temperature {row['temperature']:g} after {row['prompt']!r}:\n{row['text']}\n")
    return rows


def warn_of_epochs_never_reached(config: TrainConfig, epochs: int) -> None:
    """Warn about samples that were asked for after an epoch beyond the last one, `epochs`."""
    late = [f"sample_at={epoch}" for epoch in config.sample_at if epoch > epochs]
    late += [f"sample_every={config.sample_every}"] * (config.sample_every > epochs)
    if late:
        log.warning(
            f"training ends in epoch {epochs:,}, so no samples are written for train.{' and train.'.join(late)}"
        )


def texts_of(config: TrainConfig, dataset: Dataset, trainer: Trainer, *, epoch: int) -> list[Sample]:
    """The rows of an epoch's samples.

    The window and the texts depend on (seed, epoch) alone and do not affect training.
    """
    rng = np.random.Generator(np.random.Philox(key=np.array([config.seed, epoch], np.uint64)))
    start = int(rng.integers(0, max(len(dataset.train) - dataset.length, 1)))
    prompt = dataset.train[start : start + dataset.length]
    writer = Writer(
        stepper_of(trainer.architecture, trainer.network),
        context=trained_for(carry_state=config.carries_state),
        window=dataset.length,
        tiling=replace(Tiling.of_device(), compiled=False),  # compiling takes longer than these few texts
        forbidden=[dataset.vocabulary.unknown_id] if dataset.vocabulary.has_unknown else [],
    )
    temperatures = config.sample_temperatures
    requests = [Request(id=n, prompt=prompt, temperature=value) for n, value in enumerate(temperatures)]
    texts = writer.write(requests, length=config.sample_length, seed=config.seed + epoch)
    return [
        {
            "temperature": value,
            "prompt": dataset.vocabulary.decode(prompt),
            "text": dataset.vocabulary.decode(text.ids),
        }
        for value, text in zip(temperatures, texts, strict=True)
    ]
