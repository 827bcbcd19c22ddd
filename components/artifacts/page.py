"""Self-contained HTML pages in one look: no network, light and dark, printable.

A page's content security policy lets it load nothing and run no script but its own, so even text that was not escaped
could do nothing. A page is made of parts: if one of them fails, the page shows the others.
"""

import base64
import hashlib
import logging
import unicodedata
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

_DIRECTIONS = {"R": "rtl", "AL": "rtl", "L": "ltr"}
"""Directions by Unicode's bidirectional class, for characters that have one."""
_BASE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; \
base-uri 'none'; form-action 'none'{% if script %}; script-src '{{ script_hash }}'{% endif %}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }} · Quillflow</title>
<style>
  :root { color-scheme: light dark; --ink: #1d2430; --soft: #5d6779; --line: #d9dee7; --paper: #fff;
          --panel: #f6f7f9; --grid: #e6e9ef; --series-1: #2f6f6a; --series-2: #b4521c; --series-3: #5a55a8;
          --series-4: #a8336f; --series-5: #766f00; --series-6: #2a74b8; --shade: 214, 92, 24; }
  @media screen and (prefers-color-scheme: dark) {
    :root { --ink: #e6e9ef; --soft: #98a2b3; --line: #344054; --paper: #14181f; --panel: #1c222b;
            --grid: #2a3240; --series-1: #6cc3b8; --series-2: #f0a15e; --series-3: #a9a3f0;
            --series-4: #f08fba; --series-5: #cfc65a; --series-6: #7db7f0; --shade: 240, 145, 70; } }
  * { box-sizing: border-box; }
  body { margin: 0 auto; max-width: 64rem; padding: 2rem 1.25rem 4rem; background: var(--paper);
         color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
  h1 { font-size: 1.6rem; margin: 0 0 .25rem; }
  h2 { font-size: 1.15rem; margin: 2.25rem 0 .75rem; } h3 { font-size: 1rem; margin: 1.25rem 0 .5rem; }
  a { color: var(--series-1); } .soft { color: var(--soft); }
  .break { overflow-wrap: anywhere; text-align: left; }
  .facts { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.25rem 0; }
  .fact { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .9rem; }
  .fact b { display: block; font-size: 1.2rem; font-variant-numeric: tabular-nums; }
  .text { white-space: pre-wrap; overflow-wrap: anywhere; font: 14px/1.5 ui-monospace, monospace;
          background: var(--panel); border: 1px solid var(--line); border-radius: .5rem;
          padding: .75rem 1rem; margin: .6rem 0; }
  .text, td, th, .break, figcaption, svg text { unicode-bidi: plaintext; }
  .led[dir=rtl]::before { content: "\\200f"; } .led[dir=ltr]::before { content: "\\200e"; }
  .prompt { color: var(--soft); border-bottom: 1px dotted var(--soft); } .continuation { color: var(--ink); }
  .scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .92rem; }
  td, th { text-align: left; vertical-align: top; padding: .25rem 1.25rem .25rem 0;
           border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums; }
  th { color: var(--soft); font-weight: 600; } .number { text-align: right; }
  .plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(30rem, 100%), 1fr)); gap: 1.25rem; }
  figure { margin: 0; min-width: 0; overflow-x: auto; } figcaption { font-weight: 600; margin-bottom: .25rem; }
  svg { display: block; max-width: 100%; min-width: 30rem; height: auto; } details { margin: .75rem 0; }
  summary { cursor: pointer; } [hidden] { display: none !important; }
  @media print { :root { color-scheme: light; } .controls { display: none; }
    .plots { grid-template-columns: 1fr 1fr; } svg { min-width: 0; }
    body { max-width: none; padding: 0; font-size: 11pt; }
    .text, .fact, figure, tr { break-inside: avoid; } h2, h3 { break-after: avoid; }
    * { print-color-adjust: exact; } }
{{ style | safe }}</style>
</head>
<body>
<h1>{{ title }}</h1>
{% block body %}{% endblock %}
{% if script %}<script>{{ script | safe }}</script>{% endif %}
</body>
</html>
"""

_MACROS = """
{% macro facts(values) %}
<div class="facts">
{% for name, value in values.items() %}<div class="fact"><b>{{ value }}</b>{{ name }}</div>
{% endfor %}
</div>
{% endmacro %}
{% macro pairs(values) %}
<div class="scroll"><table>
{% for name, value in values.items() %}<tr><th scope="row">{{ name }}<td class="break">{{ value }}</tr>
{% endfor %}
</table></div>
{% endmacro %}
{% macro table(columns, rows) %}
<div class="scroll"><table>
<tr>{% for name in columns %}<th scope="col">{{ name }}{% endfor %}</tr>
{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}{% endfor %}</tr>
{% endfor %}
</table></div>
{% endmacro %}
{% macro plots(by_title) %}
<div class="plots">
{% for title, plot in by_title.items() %}{% if plot %}<figure><figcaption>{{ title }}</figcaption>{{ plot }}</figure>
{% endif %}{% endfor %}
</div>
{% endmacro %}
"""


def page(body: str, *, title: str, style: str = "", script: str = "", **values: object) -> str:
    """The HTML of a page.

    Args:
        body: a Jinja template of parts, `{% call part("Its heading") %}...{% endcall %}`; it may use the macros facts,
            pairs, table and plots, and `reading` for the element that holds a text.
        title: the page's name.
        style: CSS of the page's own.
        script: JavaScript of the page's own.
        values: what `body` shows; all of it is escaped but Markup, which `components.artifacts.plots` makes. A value
            that has to be computed is a function, called by the part that shows it.
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.globals |= {"part": _part, "reading": reading}
    base = environment.from_string(_BASE)
    template = environment.from_string("{% extends base %}{% block body %}" + _MACROS + body + "{% endblock %}")
    script_hash = "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return template.render(base=base, title=title, style=style, script=script, script_hash=script_hash, **values)


def write_page(path: Path, body: str, *, title: str, style: str = "", script: str = "", **values: object) -> None:
    """Write a page to `path`; see `page`."""
    html = page(body, title=title, style=style, script=script, **values)
    path.write_bytes(html.encode("utf-8", "backslashreplace"))  # half a surrogate pair must not cost the page


def reading(text: str) -> Markup:
    """The attributes of the element that holds a text, which may be read from the right or the left.

    Each line has the direction of its first letter; a line without letters is left to right. The first line may begin
    in the middle of one: it has the direction of most of the text, unless all its letters have the other.
    """
    first_line = _letters(text.partition("\n")[0])
    whole = _letters(text)
    most = "rtl" if whole["rtl"] > whole["ltr"] else "ltr"
    led = first_line[most] or not sum(first_line.values())
    return Markup('class="text{}" dir="{}"').format(" led" if led else "", most)


def _letters(text: str) -> dict[str, int]:
    """How many letters of a text are read from the right and from the left."""
    found = Counter(_DIRECTIONS.get(unicodedata.bidirectional(character), "") for character in text)
    return {direction: found[direction] for direction in ("rtl", "ltr")}


def why_not_shown(part: str, error: Exception) -> str:
    """Why a part of a page, or of a summary, could not be made; also logged as a warning."""
    # Through the logger that components.command.log sets up, which this package may not import.
    reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
    logging.getLogger("quillflow").warning("%s: left out of the page (%s)", part or "the beginning", reason)
    return f"This part can't be shown ({reason})."


def _part(heading: str, caller: Callable[[], Markup]) -> Markup:
    above = Markup("<h2>{}</h2>\n").format(heading) if heading else Markup("")
    try:
        return above + caller()
    except Exception as error:  # noqa: BLE001 -- any failure may cost this part alone
        return above + Markup('<p class="soft">{}</p>\n').format(why_not_shown(heading, error))
