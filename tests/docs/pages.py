"""The pages of the documentation, and the commands that they show."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "images" / "README.md",
    ROOT / "deploy" / "README.md",
]


def commands(page: Path) -> list[str]:
    """The commands of a page, in order."""
    return [line[2:] for line in _console(page) if line.startswith("$ ")]


def fails(page: Path, command: str) -> bool:
    """Whether the page shows that a command fails: an error follows it."""
    lines = _console(page)
    after = lines[lines.index(f"$ {command}") + 1 :]
    return bool(after) and after[0].startswith("error: ")


def _console(page: Path) -> list[str]:
    blocks = re.findall(r"^```console\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines()]
