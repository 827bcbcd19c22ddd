"""The run's report.html: its artifacts, their contents and lineage, the loss, and some texts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from components.artifacts.curves import loss_plots
from components.artifacts.manifest import Manifest
from components.artifacts.page import write_page
from components.artifacts.rows import rows_of
from components.artifacts.typed import Epoch, Metrics
from components.artifacts.units import tokens_a_character_of
from components.command import log

TEXTS_A_TEMPERATURE = 2
DIGITS = 16
"""How much of a digest is shown."""
_COUNTS = {
    "corpus": ("characters", "distinct_characters", "messages", "documents", "lines", "users"),
    "dataset": ("vocabulary", "train_tokens", "validation_tokens", "train_documents", "validation_documents"),
    "model": ("parameters", "steps"),
    "samples": ("texts", "tokens", "ended"),
}
"""The counts of each artifact's manifest that are shown."""
_STYLE = """  .chain { display: grid; gap: .75rem; list-style: none; padding: 0;
           grid-template-columns: repeat(auto-fit, minmax(min(13rem, 100%), 1fr)); }
  .chain li { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .9rem; }
  .chain b { font-size: 1.05rem; } .chain code { font-size: .85rem; } .wrong { color: var(--series-2); }
"""
_BODY = """
<p class="soft break">{{ source }}</p>
{% call part("") %}{{ facts(run.figures) }}{% endcall %}
{% call part("What was made from what") %}
<ol class="chain">
{% for made in chain() %}<li>\
<b>{% if made.page %}<a href="{{ made.page }}">{{ made.kind }}</a>{% else %}{{ made.kind }}\
{% endif %}</b><br>
{% for line in made.holds %}{{ line }}<br>
{% endfor %}<code class="soft">{{ made.digest }}</code><br>
{% for words, linked in made.made_from %}<span class="{{ "soft" if linked else "wrong" }}">{{ words }}</span>\
{% if not loop.last %}<br>{% endif %}{% endfor %}</li>
{% endfor %}
</ol>
{% endcall %}
{% call part("Training") %}
{% if resumes() %}<p class="soft">Resumed at train step {{ resumes() }}: the dashed lines.</p>{% endif %}
{{ plots(curves()) }}
{% endcall %}
{% call part("Samples") %}
{% for temperature, members in run.texts | groupby("temperature") %}
<h3>Temperature {{ "%g" | format(temperature) }}</h3>
{% for text in members %}
<div {{ reading(text.prompt + text.text) }}><span class="prompt">{{ text.prompt }}</span>\
<span class="continuation">{{ text.text }}</span></div>
{% endfor %}
{% endfor %}
{% endcall %}
{% call part("Settings") %}
{% for stage, settings in configs.items() %}<details><summary>{{ stage }}</summary>{{ pairs(settings) }}</details>
{% endfor %}
{% endcall %}
"""


@dataclass(frozen=True, kw_only=True)
class Text:
    """A text that was written after a prompt."""

    temperature: float
    prompt: str
    text: str


@dataclass(frozen=True, kw_only=True)
class ReportedRun:
    """What the page shows; the artifacts by kind, in the order they were made.

    Attributes:
        name: the run's; empty if stages were run alone.
        manifests: their manifests.
        digests: SHA-256 of the manifests.
        pages: links to the artifacts' own pages, if they have one; empty if it can't be linked.
        metrics_json: the model's metrics.json.
        history_jsonl: the model's history.jsonl.
        samples_jsonl: the first file of the samples.
    """

    name: str
    manifests: Mapping[str, Manifest]
    digests: Mapping[str, str]
    pages: Mapping[str, str]
    metrics_json: str
    history_jsonl: str
    samples_jsonl: str

    @cached_property
    def metrics(self) -> Metrics:
        """The model's metrics."""
        metrics: Metrics = json.loads(self.metrics_json)
        return metrics

    @cached_property
    def history(self) -> Sequence[Epoch]:
        """The model's history, a row per epoch."""
        return list(rows_of(self.history_jsonl))

    @cached_property
    def texts(self) -> Sequence[Text]:
        """A few texts of each temperature."""
        shown: dict[float, list[Text]] = {}
        for row in rows_of(self.samples_jsonl):
            members = shown.setdefault(row["temperature"], [])
            if len(members) < TEXTS_A_TEMPERATURE:
                members.append(Text(temperature=row["temperature"], prompt=row["prompt"], text=row["text"]))
        return [text for temperature in sorted(shown) for text in shown[temperature]]

    @property
    def source(self) -> str:
        """The source, as ingest named it."""
        return str(self.manifests["corpus"].config.get("source", ""))

    @property
    def figures(self) -> dict[str, str]:
        """The run in numbers."""
        metrics = self.metrics
        if metrics["validation_loss_nats"] is None:
            losses = {"nats per token, training": f"{metrics['train_loss_nats']:.4f}"}
        else:
            losses = {
                "nats per token, held-out": f"{metrics['validation_loss_nats']:.4f}",
                "bits per character, held-out": f"{metrics['validation_bits_per_char']:.3f}",
            }
        return {
            **losses,
            "characters of text": f"{self.manifests['corpus'].counts['characters']:,}",
            "parameters": f"{self.manifests['model'].counts['parameters']:,}",
            "of training": log.duration(metrics["wall_seconds"]),
            "texts written": f"{self.manifests['samples'].counts['texts']:,}",
        }

    def origins(self, kind: str) -> list[tuple[str, bool]]:
        """What an artifact was made from, each as text, and whether it is the artifact shown here."""
        return [self._origin(source, digest, kind) for source, digest in sorted(self.manifests[kind].made_from.items())]

    def _origin(self, source: str, digest: str, kind: str) -> tuple[str, bool]:
        # Samples made with no_copy name their corpus; it need not be the one that the model was trained on.
        words = f"without copies of corpus {digest[:DIGITS]}" if kind == "samples" and source == "corpus" else ""
        if words or source == "source" or self.digests.get(source) == digest:
            return words or f"from {source} {digest[:DIGITS]}", True
        return f"from {source} {digest[:DIGITS]}, which is not this one", False


def write_run(path: Path, run: ReportedRun) -> None:
    """Write the page to `path`."""
    write_page(
        path,
        _BODY,
        title=f"Run {run.name}".strip(),
        style=_STYLE,
        source=run.source,
        run=run,
        chain=lambda: [_made(run, kind) for kind in run.manifests],
        curves=lambda: loss_plots(run.history, tokens_a_character_of(run.manifests["dataset"].counts)),
        resumes=lambda: ", ".join(f"{train_step:,}" for row in run.history for train_step in row["resumed_at"]),
        configs={manifest.producer.stage: manifest.config for manifest in run.manifests.values()},
    )


def _made(run: ReportedRun, kind: str) -> dict[str, Any]:
    """An artifact's place in the chain."""
    counts = run.manifests[kind].counts
    holds = [f"{counts[name]:,} {name.replace('_', ' ')}" for name in _COUNTS[kind] if counts.get(name)]
    return {
        "kind": kind,
        "page": run.pages.get(kind, ""),
        "holds": holds,
        "digest": run.digests[kind][:DIGITS],
        "made_from": run.origins(kind),
    }
