"""The samples' report.html: texts to read, by temperature, with prompt and continuation told apart."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from components.artifacts.page import write_page

_BODY = """
<p class="soft">{{ written_by }}</p>
<p class="soft">{{ shown }} of {{ "{:,}".format(total) }} texts. The prompt is grey, what was written after it is dark.
Nats per token are the model's own surprise at what it wrote: low is safe and repetitive, high is wild.</p>
{% for name, rows in groups %}
<h2>{{ name }}</h2>
{% for row in rows %}
<div class="text"><span class="prompt">{{ row.prompt }}</span>\
<span class="continuation">{{ row.text }}</span></div>
<div class="soft">text {{ row.id }} · seed {{ row.seed }} · {{ "%.3f" | format(row.nats_per_token) }} nats a token</div>
{% endfor %}
{% endfor %}
"""


def write_report(path: Path, rows: Sequence[dict[str, Any]], total: int, *, written_by: str) -> None:
    """Write the page to `path` with `rows` of the `total` texts, and a line on what wrote them."""

    def group(row: dict[str, Any]) -> tuple[float, str]:
        return row["temperature"], row["strategy"]

    ordered = sorted(rows, key=group)
    groups = [(_title(*key), list(members)) for key, members in groupby(ordered, key=group)]
    write_page(path, _BODY, title="Samples", shown=len(rows), total=total, groups=groups, written_by=written_by)


def _title(temperature: float, strategy: str) -> str:
    if strategy == "greedy":
        return "Greedy"
    limits = "" if strategy == "temperature" else f", {strategy.replace('+', ', ')}"
    return f"Temperature {temperature:g}{limits}"
