"""Self-contained HTML pages in one look: no network, light and dark, printable."""

from pathlib import Path

from jinja2 import Environment, StrictUndefined

_BASE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }} · Quillflow</title>
<style>
  :root { color-scheme: light dark; --ink: #1d2430; --soft: #667085; --line: #d9dee7; --paper: #fff;
          --panel: #f6f7f9; --accent: #2f6f6a; }
  @media (prefers-color-scheme: dark) {
    :root { --ink: #e6e9ef; --soft: #98a2b3; --line: #344054; --paper: #14181f; --panel: #1c222b;
            --accent: #6cc3b8; } }
  body { margin: 0 auto; max-width: 62rem; padding: 2rem 1.25rem 4rem; background: var(--paper);
         color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
  h1 { font-size: 1.6rem; margin: 0 0 .25rem; } h2 { font-size: 1.15rem; margin: 2.25rem 0 .75rem; }
  .soft { color: var(--soft); } .facts { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.25rem 0; }
  .fact { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .9rem; }
  .fact b { display: block; font-size: 1.2rem; font-variant-numeric: tabular-nums; }
  .text { white-space: pre-wrap; overflow-wrap: anywhere; font: 14px/1.5 ui-monospace, monospace;
          background: var(--panel); border: 1px solid var(--line); border-radius: .5rem;
          padding: .75rem 1rem; margin: .6rem 0; }
  .prompt { color: var(--soft); } .continuation { color: var(--ink); }
  table { border-collapse: collapse; } td, th { text-align: left; padding: .2rem 1rem .2rem 0;
          border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums; }
  svg { max-width: 100%; height: auto; color: var(--ink); }
  @media print { body { max-width: none; padding: 0; } .text, .fact, svg { break-inside: avoid; } }
</style>
</head>
<body>
<h1>{{ title }}</h1>
{% block body %}{% endblock %}
</body>
</html>
"""


def write_page(path: Path, body: str, **values: object) -> None:
    """Render the Jinja `body` with `values` inside the common page, everything escaped, to `path`."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    base = environment.from_string(_BASE)
    template = environment.from_string("{% extends base %}{% block body %}" + body + "{% endblock %}")
    path.write_text(template.render(base=base, **values), encoding="utf-8")
