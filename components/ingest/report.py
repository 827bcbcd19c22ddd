"""The corpus's report.html: its content at a glance."""

import unicodedata
from pathlib import Path

from markupsafe import Markup

from components.artifacts.page import write_page
from components.artifacts.plots import bars, columns
from components.ingest.statistics import CorpusStatistics

TOP_USERS = 15
TOP_CHARACTERS = 30
_THOUSAND = 1024
_NAMES = {" ": "␣", "\n": "⏎", "\t": "⇥"}
_BODY = """
<p class="soft break">{{ source }}</p>
{% call part("") %}{{ facts(figures()) }}{% endcall %}
{% if user_count %}{% call part("Activity by user") %}
<p class="soft">Messages in the source by the most active of its {{ "{:,}".format(user_count) }} users, before users
are kept or dropped.</p>
<figure>{{ users() }}</figure>
{% endcall %}{% endif %}
{% call part("Length of " + unit) %}
<p class="soft">The number of {{ unit }} by their length in characters; the longest has {{ "{:,}".format(longest) }}.
{% if unit == "lines" %}Blank lines are left out.{% endif %}</p>
<figure>{{ lengths() }}</figure>
{% endcall %}
{% call part("Characters by frequency") %}
<figure>{{ characters() }}</figure>
<details><summary>As a table</summary>
{{ table(["character", "code point", "name", "count", "share"], rows()) }}
</details>
{% endcall %}
{% call part("First " + unit) %}
{% for piece in first %}<div {{ reading(piece) }}>{{ piece }}</div>
{% endfor %}
{% endcall %}
"""


def write_report(path: Path, source: str, statistics: CorpusStatistics) -> None:
    """Write the page to `path`."""
    frequent = statistics.most_frequent(TOP_CHARACTERS)
    users = statistics.users.most_common(TOP_USERS)
    write_page(
        path,
        _BODY,
        title="Corpus",
        source=source,
        figures=lambda: _figures(statistics),
        unit=statistics.unit,
        user_count=len(statistics.users),
        users=lambda: bars(*zip(*users, strict=True), label="messages"),
        lengths=lambda: _lengths(statistics),
        longest=statistics.longest,
        characters=lambda: columns(
            [_NAMES.get(character, character) for character, _ in frequent],
            [count for _, count in frequent],
            x_label="character",
            y_label="count",
        ),
        rows=lambda: [_row(character, count, statistics.characters) for character, count in frequent],
        first=["\n".join(statistics.first)] if statistics.unit == "lines" else statistics.first,
    )


def _figures(statistics: CorpusStatistics) -> dict[str, str]:
    """The corpus in numbers."""
    figures = {
        "characters": statistics.characters,
        "distinct characters": statistics.distinct_characters,
        statistics.unit: statistics.messages,
        **({"users": len(statistics.users)} if statistics.users else {}),
        **({"replaced": statistics.replaced} if statistics.replaced else {}),
    }
    return {name: f"{value:,}" for name, value in figures.items()}


def _lengths(statistics: CorpusStatistics) -> Markup:
    """The number of messages, documents or lines by length."""
    found = statistics.lengths()
    names = [f"{length}" if length < _THOUSAND else f"{length // _THOUSAND}k" for length, _ in found]
    counts = [count for _, count in found]
    return columns(names, counts, x_label="characters, from this many to the next", y_label=statistics.unit)


def _row(character: str, count: int, total: int) -> tuple[str, ...]:
    """A character's row of the table."""
    name = unicodedata.name(character, "control character" if not character.isprintable() else "")
    return repr(character), f"U+{ord(character):04X}", name.lower(), f"{count:,}", f"{count / total:.2%}"
