"""The samples' report.html: texts by temperature, with the prompt and the continuation distinguished."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from components.artifacts.page import write_page
from components.artifacts.typed import WrittenText

LEVELS = (0.5, 1.5, 3.0, 5.0)
"""The nats per character from which a token has the next darker shade."""
WAYS = {"end": "ended", "stop": "ended by a string to stop at", "length": "cut at its full length"}
"""How a text ended, as text."""
_STYLE = """  .text i { font-style: normal; }
  .shaded .s1 { background: rgba(var(--shade), .14); } .shaded .s2 { background: rgba(var(--shade), .28); }
  .shaded .s3 { background: rgba(var(--shade), .46); } .shaded .s4 { background: rgba(var(--shade), .66); }
  .key { display: inline-block; color: var(--ink); padding: 0 .5em; border: 1px solid var(--line); }
  .controls { display: flex; flex-wrap: wrap; gap: .6rem 1rem; align-items: center; position: sticky; top: 0;
              background: var(--paper); padding: .6rem 0; border-bottom: 1px solid var(--line); z-index: 1; }
  .controls input[type=search], .controls select { font: inherit; color: var(--ink); background: var(--panel);
              border: 1px solid var(--line); border-radius: .4rem; padding: .25rem .5rem; min-width: 0; }
"""
_BODY = """
<p class="soft break">{{ written_by }}</p>
<p class="soft">{{ shown }} of {{ "{:,}".format(total) }} texts. The prompt is grey and underlined, the continuation
is dark. Nats per token measure how surprising the text is to the model: low values are safe and repetitive, high values
are wild. Each token is shaded by its nats per character:
<span class="shaded"><span class="key">below {{ levels[0] }}</span>{% for level in levels %}\
<span class="key s{{ loop.index }}">from {{ level }}</span>{% endfor %}</span></p>
{% call part("") %}{{ table(["", "texts", "nats per token, mean"], figures()) }}{% endcall %}
<form class="controls" id="controls" hidden>
<input type="search" id="search" dir="auto" placeholder="Search the texts" aria-label="Search the texts">
<select id="group" aria-label="Temperature"><option value="">All temperatures</option>
{% for name in groups %}<option>{{ name }}</option>{% endfor %}</select>
<select id="order" aria-label="Order"><option value="id">as written</option>
<option value="nats">safest first</option><option value="-nats">wildest first</option></select>
<label><input type="checkbox" id="shade" checked> shading</label>
<output id="count" class="soft"></output>
</form>
<div id="texts" class="shaded">
{% for name, members in groups.items() %}
<section data-group="{{ name }}">
{% call part(name) %}
{% for row, runs in members() %}
<article data-id="{{ row.id }}" data-nats="{{ row.nats_per_token }}">
<div {{ reading(row.prompt + row.text) }}><span class="prompt">{{ row.prompt }}</span>\
<span class="continuation">{% for level, text in runs %}{% if level %}<i class="s{{ level }}">{{ text }}</i>\
{% else %}{{ text }}{% endif %}{% endfor %}</span></div>
<div class="soft">text {{ row.id }} · seed {{ row.seed }} · {{ "%.3f" | format(row.nats_per_token) }} nats per token\
{% if row.ended is defined %} · {{ ways[row.ended] }}{% endif %}</div>
</article>
{% endfor %}
{% endcall %}
</section>
{% endfor %}
</div>
"""
_SCRIPT = """
(() => {
  const at = (id) => document.getElementById(id);
  const sections = [...document.querySelectorAll("section")];
  const words = new Map();
  for (const text of document.querySelectorAll("article")) {
    words.set(text, text.querySelector(".text").textContent.toLowerCase());
  }
  const show = () => {
    const wanted = at("search").value.toLowerCase();
    let count = 0;
    for (const section of sections) {
      const chosen = !at("group").value || section.dataset.group === at("group").value;
      let inSection = 0;
      for (const text of section.querySelectorAll("article")) {
        text.hidden = !(chosen && words.get(text).includes(wanted));
        inSection += !text.hidden;
      }
      section.hidden = !inSection;
      count += inSection;
    }
    at("count").textContent = `${count} of ${words.size}`;
    at("texts").classList.toggle("shaded", at("shade").checked);
  };
  const order = () => {
    const [, sign, by] = /^(-?)(.*)$/.exec(at("order").value);
    const value = (text) => (sign ? -1 : 1) * Number(text.dataset[by]);
    for (const section of sections) {
      section.append(...[...section.querySelectorAll("article")].sort((a, b) => value(a) - value(b)));
    }
  };
  const follow = () => {  // such as report.html#search=night&order=-nats
    for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
      if (["search", "group", "order"].includes(name)) at(name).value = value;
      if (name === "shade") at("shade").checked = value !== "no";
    }
    order();
    show();
  };
  at("controls").hidden = false;
  at("controls").addEventListener("submit", (event) => event.preventDefault());
  at("controls").addEventListener("input", show);
  at("order").addEventListener("input", order);
  window.addEventListener("hashchange", follow);
  follow();
})();
"""


def write_report(
    path: Path,
    rows: Sequence[tuple[WrittenText, Sequence[tuple[str, float]]]],
    total: int,
    *,
    written_by: str,
    means: Mapping[tuple[float, str], tuple[int, float]],
) -> None:
    """Write the page to `path`.

    Args:
        path: the file to write.
        rows: the texts to show, as in samples-*.jsonl, each in parts (tokens or characters) with their nats.
        total: the number of texts.
        written_by: a line about the model and settings.
        means: by (temperature, strategy) the number of texts and their mean nats per token.
    """
    groups: dict[tuple[float, str], list[tuple[WrittenText, Sequence[tuple[str, float]]]]] = {}
    for row, tokens in rows:
        groups.setdefault((row["temperature"], row["strategy"]), []).append((row, tokens))
    write_page(
        path,
        _BODY,
        title="Samples",
        style=_STYLE,
        script=_SCRIPT,
        shown=len(rows),
        total=total,
        groups={
            _title(*key): lambda members=members: [(row, list(_runs(tokens))) for row, tokens in members]
            for key, members in sorted(groups.items())
        },
        written_by=written_by,
        ways=WAYS,
        levels=LEVELS,
        figures=lambda: [(_title(*key), f"{count:,}", f"{mean:.3f}") for key, (count, mean) in sorted(means.items())],
    )


def _runs(tokens: Sequence[tuple[str, float]]) -> Iterator[tuple[int, str]]:
    """The text in pieces of one shade each: the shade, 0 for none, and the piece."""
    shaded = ((sum(nats >= level * len(text) for level in LEVELS), text) for text, nats in tokens)
    for level, members in groupby(shaded, key=lambda token: token[0]):
        yield level, "".join(text for _, text in members)


def _title(temperature: float, strategy: str) -> str:
    if strategy == "greedy":
        return "Greedy"
    limits = "" if strategy == "temperature" else f", {strategy.replace('+', ', ')}"
    return f"Temperature {temperature:g}{limits}"
