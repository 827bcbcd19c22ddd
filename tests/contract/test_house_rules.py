"""What all code keeps to, so that a kind of fault can't come back at another place."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    path.relative_to(ROOT) for folder in ("components", "pipelines") for path in (ROOT / folder).rglob("*.py")
)


def attributes(path: Path) -> Iterator[str]:
    """The attributes that a module's code takes of anything."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            yield node.attr


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_nothing_is_cut_at_what_else_unicode_takes_for_a_lines_end(path: Path) -> None:
    """JSON lines and whatever programs write end at newlines; people's text holds U+2028, U+0085 and others."""
    assert "splitlines" not in attributes(path)
