"""Shows compared runs as tables on a terminal and as a page."""

import re
import shutil
import textwrap
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from markupsafe import Markup

from components.artifacts.as_json import as_json
from components.artifacts.curves import are_in_bits, compared_loss_plots
from components.artifacts.page import write_page
from components.artifacts.units import bits_per_character
from pipelines.results.comparison import LOSSES, Compared, Loss, as_dict, caution, differing, points

NARROWEST = 24
_SHOWN_OF_TEXT = 400
_SHOWN_OF_VALUE = 40
_SHOWN_OF_DIGEST = 16
_DIGEST = re.compile(r"[0-9a-f]{64}")
_STYLE = """  .side { display: grid; gap: 0 1.25rem;
          grid-template-columns: repeat(auto-fit, minmax(min(18rem, 100%), 1fr)); }
"""
_BODY = """
{{ table(["", "run", "model"], lettered) }}
{% call part("") %}{% if caution() %}<p>{{ caution() }}</p>{% endif %}{% endcall %}
{% call part("Settings that differ") %}
{% if settings() %}{{ table(["setting"] + letters, settings()) }}{% else %}<p class="soft">None.</p>{% endif %}
{% endcall %}
{% if metrics %}{% call part("Metrics") %}{{ table(["metric"] + letters, metrics) }}{% endcall %}{% endif %}
{% if trained %}{% call part("Training") %}
<p class="soft">The held-out loss is a solid line, the training loss a dashed one.</p>
{{ plots(curves()) }}
{% for title, rows in losses() %}<details><summary>{{ title }}</summary>
{{ table(["train step"] + letters, rows) }}
</details>
{% endfor %}
{% endcall %}{% endif %}
{% if samples %}{% call part("Samples") %}
{% for temperature, texts in samples %}<h3>Temperature {{ "%g" | format(temperature) }}</h3>
<div class="side">
{% for letter, row in texts %}<div><div class="soft">{{ letter }}</div>
<div {{ reading(row.prompt + row.text) }}><span class="prompt">{{ row.prompt }}</span>\
<span class="continuation">{{ row.text }}</span></div>
</div>
{% endfor %}
</div>
{% endfor %}
{% endcall %}{% endif %}
"""


def as_lines(runs: Sequence[Compared]) -> list[str]:
    """The comparison as tables for a terminal, a column per run."""
    letters = _letters(runs)
    lines = [f"{letter}  {run.name}" for letter, run in zip(letters, runs, strict=True)]
    tables = [("Settings that differ", "setting", _settings(runs)), ("Metrics", "metric", _metrics(runs))]
    tables += [(title, "train step", rows) for title, rows in _losses(runs)]
    for title, first, rows in tables:
        lines += ["", title, *(_table([[first, *letters], *rows]) if rows else ["  none"])]
    lines += ["", caution(runs)] if caution(runs) else []
    for temperature, texts in _samples(runs):
        lines += ["", f"Samples at temperature {temperature:g}: prompt|text"]
        lines += _side_by_side([f"{letter}: {row['prompt']}|{row['text'][:_SHOWN_OF_TEXT]}" for letter, row in texts])
    return lines


def write_comparison(path: Path, runs: Sequence[Compared]) -> None:
    """Write the comparison as a self-contained HTML page."""
    letters = _letters(runs)
    write_page(
        path,
        _BODY,
        title="Runs compared",
        style=_STYLE,
        letters=letters,
        lettered=[(letter, run.name, run.uris.get("model", "")) for letter, run in zip(letters, runs, strict=True)],
        caution=lambda: caution(runs),
        settings=lambda: _settings(runs),
        metrics=_metrics(runs),
        trained=any(run.history for run in runs),
        curves=lambda: _curves(runs),
        losses=lambda: _losses(runs),
        samples=_samples(runs),
    )


def _curves(runs: Sequence[Compared]) -> dict[str, Markup]:
    """The losses of the runs that have been trained, by their letters."""
    trained = {letter: run for letter, run in zip(_letters(runs), runs, strict=True) if run.history}
    if not trained:
        return {}
    return compared_loss_plots(
        {letter: run.history for letter, run in trained.items()},
        {letter: run.tokens_a_character for letter, run in trained.items()},
    )


def _letters(runs: Sequence[Compared]) -> list[str]:
    return list(ascii_uppercase[: len(runs)])


def _settings(runs: Sequence[Compared]) -> list[list[str]]:
    """A row per setting that differs."""
    return [[name, *map(_value, values)] for name, values in differing(runs).items()]


def _metrics(runs: Sequence[Compared]) -> list[list[str]]:
    """A row per metric."""
    return [[name, *map(_value, values)] for name, values in as_dict(runs)["metrics"].items()]


def _losses(runs: Sequence[Compared]) -> list[tuple[str, list[list[str]]]]:
    """For each loss its title and a row per train step: bits per character where tokens are different ones."""
    in_bits = are_in_bits([run.tokens_a_character for run in runs if run.history])

    def shown(run: Compared, step: int, loss: Loss) -> str:
        nats = run.loss_at(step, loss)
        return _value(bits_per_character(nats, run.tokens_a_character or 1) if in_bits and nats is not None else nats)

    unit = "bits per character" if in_bits else "nats per token"
    return [
        (
            f"{name.capitalize()} loss in {unit}, the latest at each train step",
            [[f"{step:,}", *(shown(run, step, loss) for run in runs)] for step in points(runs)],
        )
        for name, loss in LOSSES.items()
    ]


def _samples(runs: Sequence[Compared]) -> list[tuple[float, list[tuple[str, Any]]]]:
    """For each temperature the first text of each run that wrote at it, after the run's letter."""
    temperatures = sorted({row["temperature"] for run in runs for row in run.samples})
    lettered = [(letter, row) for letter, run in zip(_letters(runs), runs, strict=True) for row in run.samples]
    return [(wanted, [pair for pair in lettered if pair[1]["temperature"] == wanted]) for wanted in temperatures]


def _value(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"  # noqa: PLR2004 -- figures enough
    text = value if isinstance(value, str) else as_json(value, ensure_ascii=False)
    line = " ".join(text.split()) or '""'
    if _DIGEST.fullmatch(line):
        return line[:_SHOWN_OF_DIGEST]
    return line if len(line) <= _SHOWN_OF_VALUE else f"{line[: _SHOWN_OF_VALUE - 4]} ..."


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _side_by_side(texts: Sequence[str]) -> list[str]:
    """Texts in columns of the terminal, or one below the other if it is too narrow."""
    whole = shutil.get_terminal_size().columns - 2
    width = whole // len(texts) - 2
    columns = [_wrapped(text, max(width, NARROWEST)) for text in texts]
    if width < NARROWEST:
        return [f"  {line}" for text in texts for line in _wrapped(text, whole)]
    return ["  " + "  ".join(cell.ljust(width) for cell in row).rstrip() for row in zip_longest(*columns, fillvalue="")]


def _wrapped(text: str, width: int) -> list[str]:
    printable = "".join(character if character.isprintable() or character == "\n" else " " for character in text)
    return [part for line in printable.split("\n") for part in textwrap.wrap(line, width) or [""]]
