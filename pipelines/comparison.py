"""How compared runs are shown: as tables on a terminal and as a page."""

import io
import json
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from components.artifacts.page import write_page
from pipelines.comparing import LOSSES, Compared, as_dict, differing, points

NARROWEST = 24
_SHOWN_OF_TEXT = 400
_BODY = """
<table><tr><th><th>run<th>model</tr>
{% for letter, run in lettered %}<tr><th>{{ letter }}<td>{{ run.name }}<td>{{ run.uris.get("model", "") }}</tr>
{% endfor %}</table>
{% if curves %}<h2>Loss by train step</h2>
<p class="soft">Nats per token. The held-out loss is drawn whole, the training loss dashed.</p>
{{ curves | safe }}{% endif %}
{% for title, head, rows in tables %}
<h2>{{ title }}</h2>
{% if rows %}<table><tr>{% for cell in head %}<th>{{ cell }}{% endfor %}</tr>
{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}{% endfor %}</tr>
{% endfor %}</table>{% else %}<p class="soft">None.</p>{% endif %}
{% endfor %}
{% for temperature, texts in samples %}
<h2>Samples at temperature {{ "%g" | format(temperature) }}</h2>
<div style="display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr))">
{% for letter, row in texts %}
<div><b>{{ letter }}</b><div class="text"><span class="prompt">{{ row.prompt }}</span>\
<span class="continuation">{{ row.text }}</span></div></div>
{% endfor %}
</div>
{% endfor %}
"""


def as_lines(runs: Sequence[Compared]) -> list[str]:
    """The comparison as tables for a terminal, a column a run."""
    lines = [f"{letter}  {run.name}" for letter, run in zip(ascii_uppercase, runs, strict=False)]
    for title, head, rows in _tables(runs):
        lines += ["", title, *(_table([head, *rows]) if rows else ["  none"])]
    for temperature, texts in _samples(runs):
        lines += ["", f"Samples at temperature {temperature:g}: prompt|text"]
        lines += _side_by_side([f"{letter}: {row['prompt']}|{row['text'][:_SHOWN_OF_TEXT]}" for letter, row in texts])
    return lines


def write_comparison(path: Path, runs: Sequence[Compared]) -> None:
    """Write the comparison as a self-contained HTML page."""
    write_page(
        path,
        _BODY,
        title="Runs compared",
        lettered=list(zip(ascii_uppercase, runs, strict=False)),
        tables=list(_tables(runs)),
        curves=_curves(runs) if any(run.history for run in runs) else "",
        samples=_samples(runs),
    )


def _tables(runs: Sequence[Compared]) -> Iterator[tuple[str, list[str], list[list[str]]]]:
    """Each table's title, head and rows."""
    letters = list(ascii_uppercase[: len(runs)])
    settings = [[name, *map(_value, values)] for name, values in differing(runs).items()]
    yield "Settings that differ", ["setting", *letters], settings
    metrics = as_dict(runs)["metrics"]
    yield "Metrics", ["metric", *letters], [[name, *map(_value, values)] for name, values in metrics.items()]
    for name, loss in LOSSES.items():
        rows = [[f"{step:,}", *(_value(run.loss_at(step, loss)) for run in runs)] for step in points(runs)]
        yield f"{name.capitalize()} loss in nats per token, the newest at a train step", ["train step", *letters], rows


def _samples(runs: Sequence[Compared]) -> list[tuple[float, list[tuple[str, Any]]]]:
    """For each temperature the first text of each run that wrote at it, after the run's letter."""
    temperatures = sorted({row["temperature"] for run in runs for row in run.samples})
    lettered = [(letter, row) for letter, run in zip(ascii_uppercase, runs, strict=False) for row in run.samples]
    return [(wanted, [pair for pair in lettered if pair[1]["temperature"] == wanted]) for wanted in temperatures]


def _value(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"  # noqa: PLR2004 -- figures enough
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return textwrap.shorten(text, 40, placeholder=" ...") or '""'


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _side_by_side(texts: Sequence[str]) -> list[str]:
    """Texts in columns of the terminal; one below the other where it is too narrow for that."""
    whole = shutil.get_terminal_size().columns - 2
    width = whole // len(texts) - 2
    columns = [_wrapped(text, max(width, NARROWEST)) for text in texts]
    if width < NARROWEST:
        return [f"  {line}" for text in texts for line in _wrapped(text, whole)]
    return ["  " + "  ".join(cell.ljust(width) for cell in row).rstrip() for row in zip_longest(*columns, fillvalue="")]


def _wrapped(text: str, width: int) -> list[str]:
    printable = "".join(character if character.isprintable() or character == "\n" else " " for character in text)
    return [part for line in printable.split("\n") for part in textwrap.wrap(line, width) or [""]]


def _curves(runs: Sequence[Compared]) -> str:
    """The losses against train steps, an SVG element that reads on light and dark."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    ink = "#808080"
    with rc_context({"svg.hashsalt": "quillflow", "svg.fonttype": "none", "text.parse_math": False}):
        figure = Figure(figsize=(8, 4), layout="constrained")
        axes = figure.subplots()
        for number, run in enumerate(runs):
            for (name, loss), style in zip(LOSSES.items(), ("-", "--"), strict=True):
                rows = [(row["train_step"], row[loss]) for row in run.history if row[loss] is not None]
                label = f"{ascii_uppercase[number]}, {name}"
                if rows:
                    axes.plot(*zip(*rows, strict=True), style, color=f"C{number}", marker=".", label=label)
        axes.set_xlabel("train step", color=ink)
        axes.set_ylabel("nats per token", color=ink)
        axes.tick_params(colors=ink)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(ink)
        axes.legend(frameon=False, labelcolor=ink)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    svg = buffer.getvalue()
    return svg[svg.index("<svg") :]
