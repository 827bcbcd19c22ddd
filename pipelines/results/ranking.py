"""The runs of a sweep, the best first."""

from collections.abc import Mapping, Sequence
from math import inf

from pipelines.results.comparison import Compared


def ranked(runs: Sequence[Compared]) -> list[Compared]:
    """Runs by held-out bits per character, the smallest first; those without by training loss, after the others."""
    return sorted(runs, key=lambda run: [inf if value is None else value for value in _losses(run)])


def as_lines(runs: Sequence[Compared], labels: Mapping[str, str]) -> list[str]:
    """A line per run: its rank, loss, name, and the settings that it is known by."""
    lines = ["rank  bits per character  run"]
    for rank, run in enumerate(runs, 1):
        bits = run.metrics.get("validation_bits_per_char")
        shown = f"{bits:.4f}" if bits is not None else "none held out"
        lines.append(f"{rank:>4}  {shown:>18}  {run.name}  {labels[run.name]}")
    return lines


def _losses(run: Compared) -> list[float | None]:
    return [run.metrics.get(name) for name in ("validation_bits_per_char", "train_loss_nats")]
