"""Samples written during training, as the tutorials print them after an epoch."""

from dataclasses import replace

import numpy as np

from components.artifacts.dataset import Dataset
from components.artifacts.typed import Sample
from components.command import log
from components.generator.ending import Ending
from components.generator.model import trained_for
from components.generator.network import stepper_of
from components.generator.rows import Request
from components.generator.writing import Tiling, Writer
from components.train.config import TrainConfig
from components.train.trainer import Trainer


def write_samples(config: TrainConfig, dataset: Dataset, trainer: Trainer, *, epoch: int) -> list[Sample]:
    """Write one text per temperature from a random window of the training text; log and return them.

    If the text consists of documents, a text is one, from its beginning.
    """
    rows = texts_of(config, dataset, trainer, epoch=epoch)
    for row in rows:
        after = f" after {row['prompt']!r}" if row["prompt"] else ""
        log.info(f"sample at temperature {row['temperature']:g}{after}:\n{row['text']}\n")
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
    vocabulary = dataset.vocabulary
    start = int(rng.integers(0, max(len(dataset.train) - dataset.length, 1)))
    window = dataset.train[start : start + dataset.length]
    prompt = np.array([vocabulary.end_id]) if vocabulary.has_end else window
    writer = Writer(
        stepper_of(trainer.architecture, trainer.network),
        context=trained_for(carry_state=config.carries_state),
        window=dataset.length,
        tiling=replace(Tiling.of_device(), compiled=False),  # compiling takes longer than these few texts
        forbidden=[vocabulary.unknown_id] if vocabulary.has_unknown else [],
        ending=Ending(end=vocabulary.end_id),
    )
    temperatures = config.sample_temperatures
    requests = [Request(id=n, prompt=prompt, temperature=value) for n, value in enumerate(temperatures)]
    texts = writer.write(requests, length=config.sample_length, seed=config.seed + epoch)
    return [
        {
            "temperature": value,
            "prompt": vocabulary.decode(prompt),
            "text": vocabulary.decode(text.ids),
        }
        for value, text in zip(temperatures, texts, strict=True)
    ]
