"""The run's summary.md: its page's figures and a text, for where Markdown is shown."""

import re

from components.report.page import DIGITS, Run


def summary_of(run: Run) -> str:
    """The summary as Markdown; what users wrote stands in code, where nothing is markup."""
    figures = "\n".join(f"| {name} | {value} |" for name, value in run.figures.items())
    chain = "\n".join(f"| {kind} | `{run.digests[kind][:DIGITS]}` | {run.origin(kind)[0]} |" for kind in run.manifests)
    texts = "\n\n".join(
        f"After the prompt at temperature {text.temperature:g}:\n\n{_code(text.prompt)}\n\n{_code(text.text)}"
        for text in run.texts[:1]
    )
    return f"""# Run

{_code(run.source)}

| figure | value |
| --- | --- |
{figures}

| artifact | digest | made |
| --- | --- | --- |
{chain}

{texts}
"""


def _code(text: str) -> str:
    """A block of code that no text can end early."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"
