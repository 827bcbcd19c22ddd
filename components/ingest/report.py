"""The corpus's report.html: what is in it, at a glance."""

import io
import warnings
from collections import Counter
from pathlib import Path

from components.artifacts.page import write_page
from components.ingest.statistics import CorpusStatistics

TOP_USERS = 10
TOP_CHARACTERS = 30
_BODY = """
<p class="soft">{{ source }}</p>
<div class="facts">
{% for name, value in facts.items() %}<div class="fact"><b>{{ "{:,}".format(value) }}</b>{{ name }}</div>{% endfor %}
</div>
{% if users_plot %}<h2>Most active users</h2>
<p class="soft">Messages in the source, before users are kept or dropped.</p>
{{ users_plot | safe }}{% endif %}
<h2>First messages</h2>
{% for message in first %}<div class="text">{{ message }}</div>{% endfor %}
<h2>Most frequent characters</h2>
<table><tr><th>character<th>code point<th>count</tr>
{% for character, count in characters %}
<tr><td><code>{{ character | pprint }}</code><td>U+{{ "%04X" | format(ord(character)) }}\
<td>{{ "{:,}".format(count) }}</tr>
{% endfor %}
</table>
"""


def write_report(path: Path, source: str, statistics: CorpusStatistics) -> None:
    """Write the page to `path`."""
    write_page(
        path,
        _BODY,
        title="Corpus",
        source=source,
        facts={
            "characters": statistics.characters,
            "distinct characters": statistics.distinct_characters,
            "messages": statistics.messages,
            **({"users": len(statistics.users)} if statistics.users else {}),
            **({"replaced": statistics.replaced} if statistics.replaced else {}),
        },
        users_plot=_bar_plot(statistics.users) if statistics.users else "",
        first=statistics.first,
        characters=statistics.most_frequent(TOP_CHARACTERS),
        ord=ord,
    )


def _bar_plot(users: Counter[str]) -> str:
    """The most active users as horizontal bars, an SVG element that takes the page's ink."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    names, counts = zip(*reversed(users.most_common(TOP_USERS)), strict=True)
    ink = "#808080"  # grey reads on light and dark
    with rc_context({"svg.hashsalt": "quillflow", "svg.fonttype": "none", "text.parse_math": False}):
        figure = Figure(figsize=(8, 0.6 + 0.36 * len(names)), layout="constrained")
        axes = figure.subplots()
        bars = axes.barh(range(len(names)), counts, tick_label=[name[:32] for name in names], color="#2f8f86")
        axes.bar_label(bars, labels=[f"{count:,}" for count in counts], padding=4, color=ink)
        axes.set_xlabel("messages", color=ink)
        axes.tick_params(colors=ink)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(ink)
        buffer = io.StringIO()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing")  # the browser has the font
            figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    svg = buffer.getvalue()
    return svg[svg.index("<svg") :]
