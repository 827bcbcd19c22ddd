"""The run's summary.md: the page's figures and a text, as Markdown."""

import re
from collections.abc import Callable, Iterable, Sequence

from components.artifacts.page import why_not_shown
from components.report.page import DIGITS, ReportedRun


def summary_of(run: ReportedRun) -> str:
    """The summary as Markdown; what users wrote is in code blocks, where nothing is markup.

    If a part fails, the others are shown, as on the page.
    """
    parts = {"source": _source, "figures": _figures, "chain": _chain, "text": _text}
    return "# Run\n\n" + "\n\n".join(_part(name, make, run) for name, make in parts.items()) + "\n"


def _part(name: str, make: Callable[[ReportedRun], str], run: ReportedRun) -> str:
    try:
        return make(run)
    except Exception as error:  # noqa: BLE001 -- any failure may cost this part alone
        return _code(why_not_shown(f"the summary's {name}", error))


def _source(run: ReportedRun) -> str:
    return _code(run.source)


def _figures(run: ReportedRun) -> str:
    return _table(["figure", "value"], run.figures.items())


def _chain(run: ReportedRun) -> str:
    made = {kind: ", ".join(words for words, _ in run.origins(kind)) for kind in run.manifests}
    return _table(
        ["artifact", "digest", "made"],
        [(kind, f"`{run.digests[kind][:DIGITS]}`", words) for kind, words in made.items()],
    )


def _text(run: ReportedRun) -> str:
    text = run.texts[0]
    if not text.prompt:
        return f"At temperature {text.temperature:g}:\n\n{_code(text.text)}"
    return f"After the prompt at temperature {text.temperature:g}:\n\n{_code(text.prompt)}\n\n{_code(text.text)}"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (columns, ["---"] * len(columns), *rows))


def _code(text: str) -> str:
    """A code block that no text can close early."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"
