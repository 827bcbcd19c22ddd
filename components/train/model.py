"""Writing the model artifact: the exported network, its metrics, its history and its card."""

import math
import platform
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from components.artifacts import storage
from components.artifacts.as_json import as_json
from components.artifacts.dataset import Dataset
from components.artifacts.manifest import write_manifest
from components.artifacts.tensorflow import keras, tf
from components.artifacts.typed import Epoch, Metrics
from components.artifacts.units import bits_per_character, tokens_a_character_of
from components.artifacts.version import VERSION
from components.command import log
from components.generator.files import METRICS_NAME
from components.generator.model import Model, trained_for
from components.generator.network import build, layers_of, parameters
from components.train.committed import Committed
from components.train.config import TrainConfig
from components.train.evaluation import Evaluation
from components.train.progress import Progress
from components.train.report import Training, write_report
from components.train.tensorboard import write_events
from components.train.trainer import Trainer

PROMPTS = 1000
_WHOLE_WORDS = re.compile(r"(?<=\s)\S.*\s", re.DOTALL)


def metrics_of(
    config: TrainConfig,
    dataset: Dataset,
    trainer: Trainer,
    evaluation: Evaluation,
    progress: Progress,
    *,
    export: Literal["best", "last"],
) -> Metrics:
    """The model's metrics, of the checkpoint that becomes the model."""
    exported = progress.history[-1]
    if export == "best":
        exported = next(row for row in progress.history if row["train_step"] == progress.best_step)
    train_loss, validation_loss = exported["train_loss_nats"], exported["validation_loss_nats"]
    tokens = tokens_a_character_of(dataset.manifest.counts)
    bits = None if validation_loss is None else bits_per_character(validation_loss, tokens)
    return {
        "train_loss_nats": train_loss,
        "validation_loss_nats": validation_loss,
        "validation_bits_per_char": bits,
        "validation_protocol": evaluation.protocol,
        "validation_tokens_scored": evaluation.targets,
        "validation_tokens": len(dataset.validation),
        "held_out": None if validation_loss is None else dataset.held_out_name(config.evaluate_tokens),
        "held_out_text": None if validation_loss is None else dataset.held_out_text(config.evaluate_tokens),
        "perplexity": math.exp(min(train_loss if validation_loss is None else validation_loss, 700)),
        "tokens_per_second": progress.tokens_per_second,
        "steps": exported["train_step"],
        "train_steps": progress.train_steps,
        "epochs": exported["train_step"] / trainer.order.steps_per_epoch,
        "wall_seconds": progress.seconds,
        "device": progress.device,
    }


def write_model(
    uri: str,
    *,
    config: TrainConfig,
    dataset: Dataset,
    trainer: Trainer,
    progress: Progress,
    metrics: Metrics,
    checkpoint: Committed | None = None,
) -> None:
    """Write the model artifact at `uri` with the trainer's current weights, which may be a certain checkpoint's."""
    network = build(trainer.architecture)
    network.set_weights(trainer.network.get_weights())
    model = Model(
        architecture=trainer.architecture,
        network=network,
        vocabulary=dataset.vocabulary,
        context=trained_for(carry_state=config.carries_state),
        window=dataset.length,
        prompts=_prompts(dataset, whole_words=config.carries_state),
    )
    with storage.outgoing(uri, "model", log.transferred) as directory:
        model.write(directory, config.model_dump(mode="json"))
        _write_json_lines(directory / "history.jsonl", progress.history)
        (directory / METRICS_NAME).write_text(as_json(metrics, indent=2) + "\n", encoding="utf-8")
        training = _training(model, config, dataset, progress, metrics)
        write_report(directory / "report.html", training)
        write_events(directory / "tensorboard", progress.history, training.tokens_a_character)
        (directory / "README.md").write_text(_card(model, config, dataset, metrics, checkpoint), encoding="utf-8")
        write_manifest(
            directory,
            kind="model",
            stage="train",
            config=config.model_dump(mode="json"),
            counts={
                **{name: metrics[name] for name in ("steps", "train_steps")},
                **({"epoch": checkpoint.manifest.counts["epoch"]} if checkpoint else {}),
                "parameters": parameters(network),
            },
            made_from=_made_from(dataset, progress, checkpoint),
        )


def _made_from(dataset: Dataset, progress: Progress, checkpoint: Committed | None) -> dict[str, str]:
    """The digests of the dataset, of the model that training started from, and of the checkpoint, if there are any."""
    digests = {
        "dataset": dataset.digest,
        "model": progress.started_from,
        "checkpoint": checkpoint.digest if checkpoint else "",
    }
    return {kind: digest for kind, digest in digests.items() if digest}


def _training(model: Model, config: TrainConfig, dataset: Dataset, progress: Progress, metrics: Metrics) -> Training:
    """What the report shows."""
    return Training(
        description=model.description,
        metrics=metrics,
        history=progress.history,
        tokens_a_character=tokens_a_character_of(dataset.manifest.counts),
        layers=layers_of(model.network),
        environment={
            "device": metrics["device"],
            "Quillflow": VERSION,
            "TensorFlow": tf.__version__,
            "Keras": keras.__version__,
            "NumPy": np.__version__,
            "Python": platform.python_version(),
            "system": f"{platform.system()} on {platform.machine()}",
        },
        settings=config.model_dump(mode="json"),
    )


def _prompts(dataset: Dataset, *, whole_words: bool) -> list[str]:
    """Windows of the training text, spread evenly, as prompts; none for documents, which need none.

    With `whole_words` they lose partial words at their ends; not for a network that needs full windows.
    """
    if dataset.vocabulary.has_end:
        return []
    last = len(dataset.train) - dataset.length
    starts = np.unique(np.linspace(0, last, PROMPTS).astype(np.int64))
    windows = [dataset.vocabulary.decode(dataset.train[start : start + dataset.length]) for start in starts]
    if not whole_words or dataset.vocabulary.kind == "words":
        return windows
    found = [_WHOLE_WORDS.search(window) for window in windows]
    return [match[0] if match else window for match, window in zip(found, windows, strict=True)]


def _write_json_lines(path: Path, rows: Sequence[Epoch]) -> None:
    text = "".join(as_json(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")


def _card(model: Model, config: TrainConfig, dataset: Dataset, metrics: Metrics, checkpoint: Committed | None) -> str:
    figures = "\n".join(
        f"| {name} | {value:.6g} |" if isinstance(value, float) else f"| {name} | {value} |"
        for name, value in metrics.items()
    )
    counts = dataset.manifest.counts
    scored = f"{counts['validation_tokens']:,} held out, of which {metrics['validation_tokens_scored']:,} were scored"
    rows = layers_of(model.network)
    layers = "\n".join(f"| {name} | {kind} | {shape} | {count:,} |" for name, kind, shape, count in rows)
    return f"""# A text generator made by Quillflow

Writes {"whole documents" if model.vocabulary.has_end else "text"} token by token; a token is one of \
{len(model.vocabulary):,} {model.vocabulary.kind}. It was trained on
{counts["train_tokens"]:,} tokens, with {scored}, and writes with
{"state carried through the text" if model.context == "carry" else f"windows of {model.window} tokens"}.

Write with it: `quillflow sample --model <this directory> --samples <new directory>`.
It continues text of the kind that it was trained on. It knows no facts and may repeat its training text.

## Metrics

Losses are in nats per token.

| metric | value |
| --- | --- |
{figures}

## Network

B is the batch, T the tokens of a text.

| layer | kind | output | parameters |
| --- | --- | --- | --- |
{layers}

## Settings

```json
{as_json(config.model_dump(mode="json"), indent=2, ensure_ascii=False)}
```

Made from the dataset whose manifest has the SHA-256 `{dataset.digest}`.
{_exported(checkpoint) if checkpoint else ""}"""


def _exported(checkpoint: Committed) -> str:
    counts = checkpoint.manifest.counts
    return (
        f"Its weights are those after epoch {counts['epoch']:,}, train step {counts['train_step']:,} of "
        f"{counts['train_steps']:,}, of the checkpoint whose manifest has the SHA-256\n`{checkpoint.digest}`.\n"
    )
