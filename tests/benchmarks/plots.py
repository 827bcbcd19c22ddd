"""Draws loss against time, docs/learning.svg, from what `make bench` wrote to build/bench.json."""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

REPORT = Path("build/bench.json")
PLOT = Path("docs/learning.svg")
PANELS = {
    "tinyshakespeare": "tinyshakespeare, all targets in windows of 256",
    "nietzsche": "nietzsche, the target after windows of 60",
}
# From nanoGPT's README and, for its CPU recipe, measured on a machine like the one of the figures.
REFERENCES = {"tinyshakespeare": {"nanoGPT's CPU recipe, 171 s": 1.874, "nanoGPT's recipe on an A100": 1.4697}}


def main() -> int:
    """Draw; the exit code."""
    if not REPORT.exists():
        raise SystemExit(f"{REPORT} is missing; make it with: make bench ONLY=learning")
    curves = [figure for figure in json.loads(REPORT.read_bytes())["figures"] if figure["curve"]]
    if not curves:
        raise SystemExit(f"{REPORT} holds no curves; make them with: make bench ONLY=learning, without BUDGET=short")
    draw(curves).savefig(PLOT, metadata={"Date": None})
    return 0


def draw(curves: list[dict[str, Any]]) -> Figure:
    """The plot: a panel a text, a line a way of training."""
    mpl.rcParams.update({"svg.hashsalt": "quillflow", "svg.fonttype": "none", "font.size": 9})
    plot = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, (text, title) in zip(plot.subplots(1, len(PANELS)), PANELS.items(), strict=True):
        for curve in curves:
            if text in curve["what"]:
                axes.plot(*zip(*curve["curve"], strict=True), marker=".", label=_name(curve["what"]))
        for (name, loss), style in zip(REFERENCES.get(text, {}).items(), ("--", ":"), strict=False):
            axes.axhline(loss, color="grey", linewidth=0.9, linestyle=style, label=name)
        axes.set(xscale="log", xlabel="seconds of training", ylabel="held-out nats per character", title=title)
        axes.legend(frameon=False, loc="upper right")
    return plot


def _name(what: str) -> str:
    return "the tutorial" if what.startswith("the tutorial") else what[what.index("recipe") :]


if __name__ == "__main__":
    sys.exit(main())
