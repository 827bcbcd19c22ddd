"""Plots as inline SVG that takes its colours from the page, for light and dark screens and for print."""

import io
import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

_INK, _SOFT, _GRID = "#010203", "#010204", "#010205"
_SERIES = ("#010206", "#010207", "#010208", "#010209", "#01020a", "#01020b")
_MARKERS = "os^Dv"  # for lines beyond the number of colours
_DASHES = (0, (4, 2))
_VARIABLES = {
    _INK: "var(--ink)",
    _SOFT: "var(--soft)",
    _GRID: "var(--grid)",
    **{colour: f"var(--series-{number})" for number, colour in enumerate(_SERIES, start=1)},
}
"""Placeholders in the drawing for the colours of the page's style sheet."""
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "quillflow",
    "svg.fonttype": "none",  # text stays text: small, searchable, in the reader's own font
    "text.parse_math": False,
    "font.size": 10,
    "axes.edgecolor": _GRID,
    "axes.labelcolor": _SOFT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _GRID,
    "xtick.color": _SOFT,
    "ytick.color": _SOFT,
    "text.color": _INK,
    "legend.frameon": False,
}
_LONGEST_NAME = 32
_LEGEND_ROWS = 6
_NOT_NEEDED = (
    re.compile(r"<metadata>.*?</metadata>\s*", re.DOTALL),
    re.compile(r'(?<=<g) id="[^"]*"'),  # several plots share a page, and ids may not repeat
    re.compile(r' transform="rotate\(-0 [^"]*"'),
    re.compile(r"font-family: [^;]*; "),  # the page's
    re.compile(r"(?<=>)\n\s*(?=<)"),
)


@dataclass(frozen=True, kw_only=True)
class Series:
    """One line of a plot.

    Attributes:
        name: for the legend; a line without one is not in it.
        x, y: its points.
        dots: whether each point shows.
        dashed: whether it is drawn in dashes.
        colour: its number, for lines that belong together; by default its place among the lines.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    dots: bool = False
    dashed: bool = False
    colour: int | None = None


def lines(
    series: Sequence[Series], *, x_label: str, y_label: str, marks: Sequence[float] = (), second_axis: Any = None
) -> Markup:
    """Lines over one axis, which begins at 0.

    Args:
        series: the lines, later ones over earlier ones.
        x_label: what x is, with its unit.
        y_label: what y is, with its unit.
        marks: where to mark the x axis by a dashed line across the plot.
        second_axis: (name, factor) of an axis on the right that shows y times the factor.
    """
    with _drawing(5.4, 3.3) as (figure, axes):
        for place, one in enumerate(series):
            axes.plot(one.x, one.y, label=one.name or "_", **_drawn(one, place if one.colour is None else one.colour))
        for mark in marks:
            axes.axvline(mark, color=_SOFT, linewidth=1, linestyle=(0, (3, 3)))
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        axes.margins(x=0.02)
        axes.set_xlim(left=0)
        if second_axis:
            name, factor = second_axis
            right = axes.secondary_yaxis("right", functions=(lambda y: y * factor, lambda y: y / factor))
            right.set_ylabel(name)
        if len(series) > 1:
            axes.legend(loc="upper right", ncols=-(-sum(bool(one.name) for one in series) // _LEGEND_ROWS))
        return _svg(figure, f"{y_label} against {x_label}")


def bars(names: Sequence[str], counts: Sequence[float], *, label: str) -> Markup:
    """Horizontal bars, the first on top; names may be anything a user wrote."""
    with _drawing(7.6, 0.55 + 0.3 * len(names)) as (figure, axes):
        drawn = axes.barh(range(len(names)), counts, color=_SERIES[0], height=0.72)
        axes.set_yticks(range(len(names)), [_one_line(name) for name in names])
        axes.bar_label(drawn, labels=[f"{count:,}" for count in counts], padding=4, color=_SOFT)
        axes.invert_yaxis()
        axes.grid(visible=False)
        axes.set_xlabel(label)
        axes.margins(x=0.12, y=0.02)
        return _svg(figure, f"{label}: {', '.join(map(_one_line, names))}")


def columns(names: Sequence[str], counts: Sequence[float], *, x_label: str, y_label: str) -> Markup:
    """Upright columns in the order given."""
    with _drawing(7.6, 2.9) as (figure, axes):
        axes.bar(range(len(names)), counts, color=_SERIES[0], width=0.8)
        axes.set_xticks(range(len(names)), [_one_line(name) for name in names])
        axes.grid(visible=False, axis="x")
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        axes.margins(x=0.01)
        return _svg(figure, f"{y_label} by {x_label}")


def _drawn(one: Series, number: int) -> dict[str, Any]:
    """How the line of a colour's number is drawn."""
    return {
        "color": _SERIES[number % len(_SERIES)],
        "marker": _MARKERS[number // len(_SERIES) % len(_MARKERS)] if one.dots or len(one.x) == 1 else "",
        "markersize": 4,
        "linestyle": _DASHES if one.dashed else "-",
        "linewidth": 1.2 if one.dashed else 1.6,
    }


@contextmanager
def _drawing(width: float, height: float) -> Iterator[tuple[Any, Any]]:
    """A figure of this size in inches and its axes, in the pages' style."""
    # Without a writable home directory it lists its fonts again each time, and says so.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

    with rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots()
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
        yield figure, axes


def _svg(figure: Any, description: str) -> Markup:
    buffer = io.StringIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the browser has the font
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    for pattern in _NOT_NEEDED:
        svg = pattern.sub("", svg)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, variable)
    head = f'<svg role="img" aria-label="{escape(description)}"'
    return Markup(head + svg.removeprefix("<svg"))  # noqa: S704 -- matplotlib escapes the text it draws


def _one_line(name: str) -> str:
    """A name as one short line, without invisible characters."""
    visible = "".join(character if character.isprintable() else " " for character in name)
    return " ".join(visible.split())[:_LONGEST_NAME]
