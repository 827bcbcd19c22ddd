"""The model's report.html: the course of training, the network, and how its samples improved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.artifacts.curves import loss_plots, pace_plots
from components.artifacts.page import write_page
from components.artifacts.typed import Epoch, Metrics, Sample
from components.artifacts.units import bits_per_character
from components.command import log

EPOCHS_SHOWN = 12
_BODY = """
<p class="soft">{{ description }}</p>
{% call part("") %}{{ facts(figures()) }}{% endcall %}
{% call part("Training") %}
{% if resumes() %}<p class="soft">Resumed at train step {{ resumes() }}: the dashed lines.</p>{% endif %}
{{ plots(curves()) }}
<details><summary>Epoch by epoch</summary>
{{ table(["epoch", "train step", "training, nats", "held-out, nats", "held-out, bits per character",
          "learning rate", "tokens per second", "time"], epochs()) }}
</details>
{% endcall %}
{% call part("Samples while it trained") %}
{% if samples %}
<p class="soft">One text at each temperature after an epoch; the prompt, a piece of the training text, if there is
one, is grey and underlined.
{% if epochs_sampled > epochs_shown %}{{ epochs_shown }} of {{ epochs_sampled }} epochs are shown; all are in
history.jsonl.{% endif %}</p>
{% for temperature, texts in by_temperature().items() %}<h3>Temperature {{ "%g" | format(temperature) }}</h3>
{% for epoch, sample in texts %}<div class="soft">epoch {{ epoch }}</div>
<div {{ reading(sample.prompt + sample.text) }}><span class="prompt">{{ sample.prompt }}</span>\
<span class="continuation">{{ sample.text }}</span></div>
{% endfor %}
{% endfor %}
{% else %}<p class="soft">None were written; set train.sample_every=1 to write one after each epoch.</p>{% endif %}
{% endcall %}
{% call part("The network") %}
<p class="soft">B is the batch, T the tokens of a text.</p>
{{ table(["layer", "kind", "output", "parameters"], layers()) }}
{% endcall %}
{% call part("The environment") %}{{ pairs(environment) }}{% endcall %}
{% call part("The settings") %}{{ pairs(settings) }}{% endcall %}
"""


@dataclass(frozen=True, kw_only=True)
class Training:
    """All that the page shows.

    Attributes:
        description: the model in a line.
        metrics: as metrics.json.
        history: as history.jsonl, at least one row.
        tokens_a_character: of the held-out text, to convert nats per token to bits per character.
        layers: name, kind, shape of the output and number of parameters of each layer.
        environment, settings: by name.
    """

    description: str
    metrics: Metrics
    history: Sequence[Epoch]
    tokens_a_character: float
    layers: Sequence[tuple[str, str, str, int]]
    environment: Mapping[str, str]
    settings: Mapping[str, Any]


def write_report(path: Path, training: Training) -> None:
    """Write the page to `path`."""
    history = training.history
    sampled = [row for row in history if row.get("samples")]
    shown = _evenly(sampled, EPOCHS_SHOWN)
    write_page(
        path,
        _BODY,
        title="Training",
        description=training.description,
        figures=lambda: _figures(training),
        resumes=lambda: ", ".join(f"{train_step:,}" for row in history for train_step in row["resumed_at"]),
        curves=lambda: {**loss_plots(history, training.tokens_a_character), **pace_plots(history)},
        epochs=lambda: [_epoch(row, training.tokens_a_character) for row in history],
        samples=bool(shown),
        by_temperature=lambda: _by_temperature(shown),
        epochs_sampled=len(sampled),
        epochs_shown=len(shown),
        layers=lambda: [(*layer, f"{count:,}" if count else "") for *layer, count in training.layers],
        environment=training.environment,
        settings=training.settings,
    )


def _figures(training: Training) -> dict[str, str]:
    """The model in numbers."""
    metrics = training.metrics
    held_out = metrics["validation_loss_nats"]
    losses = {"nats per token, training": f"{metrics['train_loss_nats']:.4f}"}
    if held_out is not None:
        losses = {
            "nats per token, held-out": f"{held_out:.4f}",
            "bits per character, held-out": f"{metrics['validation_bits_per_char']:.3f}",
            f"tokens scored, of {metrics['validation_tokens']:,} held out": f"{metrics['validation_tokens_scored']:,}",
            **losses,
        }
    return {
        **losses,
        "perplexity": f"{metrics['perplexity']:,.2f}",
        "parameters": f"{sum(count for *_, count in training.layers):,}",
        "train steps of the model": f"{metrics['steps']:,} of {metrics['train_steps']:,}",
        "tokens per second": f"{metrics['tokens_per_second']:,.0f}",
        "of training": log.duration(metrics["wall_seconds"]),
    }


def _epoch(row: Epoch, tokens_a_character: float) -> tuple[str, ...]:
    """An epoch's row of the table."""
    held_out = row["validation_loss_nats"]
    rate = f"{row['curve'][-1]['learning_rate']:.3g}" if row["curve"] else ""
    return (
        str(row["epoch"]),
        f"{row['train_step']:,}",
        f"{row['train_loss_nats']:.4f}",
        "" if held_out is None else f"{held_out:.4f}",
        "" if held_out is None else f"{bits_per_character(held_out, tokens_a_character):.3f}",
        rate,
        f"{row['tokens_per_second']:,.0f}",
        log.duration(row["seconds"]),
    )


def _by_temperature(rows: Sequence[Epoch]) -> dict[float, list[tuple[int, Sample]]]:
    """The rows' samples with their epochs, by temperature."""
    texts: dict[float, list[tuple[int, Sample]]] = {}
    for row in rows:
        for sample in row["samples"]:
            texts.setdefault(sample["temperature"], []).append((row["epoch"], sample))
    return dict(sorted(texts.items()))


def _evenly(rows: Sequence[Epoch], count: int) -> list[Epoch]:
    """At most `count` of the rows, including the first and the last."""
    if len(rows) <= count:
        return list(rows)
    return [rows[round(place * (len(rows) - 1) / (count - 1))] for place in range(count)]
