"""What the documentation names exists, and what exists is in it."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.errors import QuillflowError
from pipelines.commands import main as cli
from pipelines.inputs.settings import recipe, recipe_names, settings_of
from tests.docs.pages import PAGES, ROOT, commands


def documented_recipe() -> str:
    block = re.search(r"^```yaml\n(.*?)^```", (ROOT / "docs" / "recipes.md").read_text(), re.DOTALL | re.MULTILINE)
    assert block
    return block[1]


DOCUMENTED = sorted({command for page in PAGES for command in commands(page)})


@pytest.mark.parametrize("command", [line for line in DOCUMENTED if line.startswith("quillflow ")])
def test_a_documented_command_parses(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my-recipe.yaml").write_text(documented_recipe(), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    arguments = shlex.split(command.partition(" > ")[0])[1:]
    try:
        cli.parser(arguments).parse_args(arguments)
    except (SystemExit, QuillflowError) as error:
        pytest.fail(f"{command}: {error}")


def test_the_documented_recipe_is_one(tmp_path: Path) -> None:
    (tmp_path / "shanties.yaml").write_text(documented_recipe(), encoding="utf-8")
    mine = recipe(str(tmp_path / "shanties.yaml"))
    assert mine.source == "shanties.txt"
    settings: Any = settings_of(mine, [])
    assert (settings["vectorize"].tokens, settings["train"].minutes) == ("words", 10)


@pytest.mark.parametrize("command", [line for line in DOCUMENTED if line.startswith("make ")])
def test_a_documented_make_target_exists(command: str) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert command.split()[1] in targets


def test_every_command_and_recipe_is_documented() -> None:
    text = (ROOT / "README.md").read_text()
    for name in cli.command_names():
        assert re.search(rf"quillflow {name}\b|`{name}`", text), f"the README does not show quillflow {name}"
    for name in recipe_names():
        assert f"`{name}`" in text, f"the README does not name the recipe {name}"


def test_links_in_the_docs_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert "://" in target or (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_tests_that_reliability_names_exist() -> None:
    text = (ROOT / "docs" / "reliability.md").read_text()
    named = set(re.findall(r"\b(?:unit|storage|cluster|contract|integration|durability|pages)/[a-z_/]+", text))
    assert len(named) > 50
    assert sorted(test for test in named if not any((ROOT / "tests").glob(f"{test}*"))) == []
