"""Compares runs: the settings that differ, their curves, metrics and samples."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from components.artifacts.errors import ArtifactError, UsageError
from components.artifacts.rows import rows_of
from components.artifacts.typed import Epoch, WrittenText
from components.artifacts.units import tokens_a_character_of
from components.steps import STAGES
from pipelines.results import finding
from pipelines.results.finding import Artifact

Loss = Literal["validation_loss_nats", "train_loss_nats"]
LOSSES: Mapping[str, Loss] = {"held-out": "validation_loss_nats", "training": "train_loss_nats"}
POINTS = 6
_STAGE_OF = {stage.result: stage.name for stage in STAGES.values()}


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One run as it is compared.

    Attributes:
        name: as it was given.
        uris: its artifacts' URIs, by kind; those that the run took from the cache are in an earlier run.
        settings: all its settings, as `stage.setting`.
        metrics: the model's.
        history: the model's rows, one per epoch, losses in nats per token.
        samples: the first text at each temperature.
        tokens_a_character: of the text of the losses, None if the dataset is unknown.
    """

    name: str
    uris: Mapping[str, str]
    settings: Mapping[str, Any]
    metrics: Mapping[str, Any]
    history: Sequence[Epoch]
    samples: Sequence[WrittenText]
    tokens_a_character: float | None

    def loss_at(self, step: int, loss: Loss) -> float | None:
        """The newest loss at a train step; None before the first one and after training ended."""
        rows = [row for row in self.history if row["train_step"] <= step]
        over = step > (self.history[-1]["train_step"] if self.history else 0)
        return None if over or not rows else rows[-1][loss]


def look_at(names: Sequence[str], root: str) -> list[Compared]:
    """The runs of these names or URIs.

    Raises:
        ArtifactError: there is no such run, or it has nothing to compare.
        UsageError: a name means more than one run.
    """
    known = {one.digest: one for one in finding.find(root)}
    return [_look_at(name, root, known) for name in names]


def differing(runs: Sequence[Compared]) -> dict[str, list[Any]]:
    """The settings that differ, each with its value in every run, or None if the run has none."""
    names = dict.fromkeys(name for run in runs for name in run.settings)
    values = {name: [run.settings.get(name) for run in runs] for name in names}
    return {name: row for name, row in values.items() if any(value != row[0] for value in row)}


def caution(runs: Sequence[Compared]) -> str:
    """Why the runs' held-out losses can't be compared; empty if they can."""
    scored = [run.metrics for run in runs if run.metrics.get("validation_loss_nats") is not None]
    # Older models name their tokens alone.
    text = "held_out_text" if all(metrics.get("held_out_text") for metrics in scored) else "held_out"
    names = {text: "are of different text", "validation_protocol": "were measured by different protocols"}
    apart = [words for name, words in names.items() if len({metrics.get(name) for metrics in scored}) > 1]
    return f"The held-out losses {' and '.join(apart)}: they can't be compared." if apart else ""


def points(runs: Sequence[Compared]) -> list[int]:
    """A few train steps, spread evenly over those with losses, including each run's last."""
    steps = sorted({row["train_step"] for run in runs for row in run.history})
    some = {steps[index * (len(steps) - 1) // max(POINTS - 1, 1)] for index in range(POINTS)} if steps else set()
    return sorted(some | {run.history[-1]["train_step"] for run in runs if run.history})


def as_dict(runs: Sequence[Compared]) -> dict[str, Any]:
    """What `--json` prints: each list has one entry per run, in the given order."""
    return {
        "runs": [{"name": run.name, "artifacts": run.uris} for run in runs],
        "settings": differing(runs),
        "metrics": {name: [run.metrics.get(name) for run in runs] for name in _metric_names(runs)},
        "history": [run.history for run in runs],
        "samples": [run.samples for run in runs],
    }


def _look_at(name: str, root: str, known: Mapping[str, Artifact]) -> Compared:
    found: dict[str, Artifact] = {}
    for artifact in finding.resolve(name, root):
        kind = artifact.manifest.kind
        if kind in found and found[kind].digest != artifact.digest:
            raise UsageError(f"{name}: contains more than one run; quillflow artifacts ls lists them")
        found[kind] = artifact
    for artifact in list(found.values()):
        for above in _made_from(artifact, known):
            found.setdefault(above.manifest.kind, above)
    if not found.keys() & _STAGE_OF.keys():
        raise ArtifactError(f"{name}: has no corpus, dataset, model or samples to compare")
    settings = {
        f"{stage}.{setting}": value
        for kind, stage in _STAGE_OF.items()
        if kind in found
        for setting, value in {**found[kind].manifest.config, "version": found[kind].manifest.producer.version}.items()
    }
    return Compared(
        name=name,
        uris={kind: str(found[kind].place) for kind in _STAGE_OF if kind in found},
        settings=settings,
        metrics=json.loads(_file(found.get("model"), "metrics.json") or "{}"),
        history=list(rows_of(_file(found.get("model"), "history.jsonl"))),
        samples=_first_texts(found.get("samples")),
        tokens_a_character=tokens_a_character_of(found["dataset"].manifest.counts) if "dataset" in found else None,
    )


def _made_from(artifact: Artifact, known: Mapping[str, Artifact]) -> Iterator[Artifact]:
    """What the artifact was made from, back to the corpus, as far as it is known."""
    for digest in artifact.manifest.made_from.values():
        if digest in known:
            yield known[digest]
            yield from _made_from(known[digest], known)


def texts(name: str, found: Sequence[Artifact]) -> list[WrittenText]:
    """The rows of all texts in a run's samples.

    Raises:
        ArtifactError: it has none.
    """
    samples = [one for one in found if one.manifest.kind == "samples"]
    if not samples:
        raise ArtifactError(f"{name}: has no samples")
    files = sorted(file for file in samples[-1].manifest.files if file.endswith(".jsonl"))
    return [row for file in files for row in rows_of(_file(samples[-1], file))]


def _first_texts(samples: Artifact | None) -> list[WrittenText]:
    """The first text at each temperature."""
    names = sorted(name for name in samples.manifest.files if name.endswith(".jsonl")) if samples else []
    first: dict[float, WrittenText] = {}
    for row in rows_of(_file(samples, names[0]) if names else ""):
        first.setdefault(row["temperature"], row)
    return [first[temperature] for temperature in sorted(first)]


def _file(artifact: Artifact | None, name: str) -> str:
    """A small file of an artifact, empty if there is none."""
    read = artifact.place.store.read((artifact.place / name).key) if artifact else None
    return read[0].decode() if read else ""


def _metric_names(runs: Sequence[Compared]) -> list[str]:
    return list(dict.fromkeys(name for run in runs for name in run.metrics))
