"""The run's report.html: its artifacts with what they hold and how they hang together, the loss, and some texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.artifacts.curves import loss_plots, tokens_a_character_of
from components.artifacts.manifest import Manifest
from components.artifacts.page import write_page
from components.command import log

DIGITS = 16
"""How much of a digest is shown."""
_COUNTS = {
    "corpus": ("characters", "distinct_characters", "messages", "lines", "users"),
    "dataset": ("vocabulary", "train_tokens", "validation_tokens"),
    "model": ("parameters", "steps"),
    "samples": ("texts", "tokens"),
}
"""What is told of each artifact, by its manifest's counts."""
_STYLE = """  .chain { display: grid; gap: .75rem; list-style: none; padding: 0;
           grid-template-columns: repeat(auto-fit, minmax(min(13rem, 100%), 1fr)); }
  .chain li { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .9rem; }
  .chain b { font-size: 1.05rem; } .chain code { font-size: .85rem; } .wrong { color: var(--series-2); }
"""
_BODY = """
<p class="soft break">{{ source }}</p>
{{ facts(figures) }}
<h2>What was made from what</h2>
<ol class="chain">
{% for part in parts %}<li><b>{% if part.page %}<a href="{{ part.page }}">{{ part.kind }}</a>{% else %}{{ part.kind }}\
{% endif %}</b><br>
{% for line in part.holds %}{{ line }}<br>
{% endfor %}<code class="soft">{{ part.digest }}</code><br>
<span class="{{ "soft" if part.linked else "wrong" }}">{{ part.made_from }}</span></li>
{% endfor %}
</ol>
<h2>How training went</h2>
{% if resumes %}<p class="soft">Taken up again at train step {{ resumes }}: the dashed lines.</p>{% endif %}
{{ plots(curves) }}
<h2>What it writes</h2>
{% for temperature, members in texts | groupby("temperature") %}
<h3>Temperature {{ "%g" | format(temperature) }}</h3>
{% for text in members %}
<div class="text"><span class="prompt">{{ text.prompt }}</span><span class="continuation">{{ text.text }}</span></div>
{% endfor %}
{% endfor %}
<h2>Settings</h2>
{% for stage, settings in configs.items() %}<details><summary>{{ stage }}</summary>{{ pairs(settings) }}</details>
{% endfor %}
"""


@dataclass(frozen=True, kw_only=True)
class Text:
    """A text that was written after a prompt."""

    temperature: float
    prompt: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Run:
    """What the page shows; the artifacts by kind, in the order they were made.

    Attributes:
        name: the run's; empty where stages were run alone.
        manifests: their manifests.
        digests: SHA-256 of those.
        pages: links to their own pages, of those that have one; empty where it can't be linked.
        metrics: the model's metrics.json.
        history: the model's history.jsonl.
        texts: some of the samples.
    """

    name: str
    manifests: Mapping[str, Manifest]
    digests: Mapping[str, str]
    pages: Mapping[str, str]
    metrics: Mapping[str, Any]
    history: Sequence[Mapping[str, Any]]
    texts: Sequence[Text]

    @property
    def source(self) -> str:
        """The text that all was made from, as ingest named it."""
        return str(self.manifests["corpus"].config["source"])

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

    def origin(self, kind: str) -> tuple[str, bool]:
        """What an artifact was made from, in words, and whether that is the one beside it here."""
        ((source, digest),) = self.manifests[kind].made_from.items()
        known = source == "source" or self.digests.get(source) == digest
        words = f"from {source} {digest[:DIGITS]}"
        return (words, True) if known else (f"{words}, which is not the one here", False)


def write_run(path: Path, run: Run) -> None:
    """Write the page to `path`."""
    write_page(
        path,
        _BODY,
        title=f"Run {run.name}".strip(),
        style=_STYLE,
        source=run.source,
        figures=run.figures,
        parts=[_part(run, kind) for kind in run.manifests],
        curves=loss_plots(run.history, tokens_a_character_of(run.manifests["dataset"].counts)),
        resumes=", ".join(f"{train_step:,}" for row in run.history for train_step in row["resumed_at"]),
        texts=run.texts,
        configs={manifest.producer.stage: manifest.config for manifest in run.manifests.values()},
    )


def _part(run: Run, kind: str) -> dict[str, Any]:
    """An artifact's place in the chain."""
    made_from, linked = run.origin(kind)
    counts = run.manifests[kind].counts
    holds = [f"{counts[name]:,} {name.replace('_', ' ')}" for name in _COUNTS[kind] if counts.get(name)]
    return {
        "kind": kind,
        "page": run.pages.get(kind, ""),
        "holds": holds,
        "digest": run.digests[kind][:DIGITS],
        "made_from": made_from,
        "linked": linked,
    }
