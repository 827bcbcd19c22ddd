"""Commands in the README exist, commands that exist stand in it, and its blocks run."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.errors import QuillflowError
from pipelines import cli
from pipelines.settings import recipe, recipe_names, settings_of

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands(page: Path) -> list[str]:
    blocks = re.findall(r"^```console\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


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
    assert (settings["vectorize"].tokens, settings["train"].train_steps) == ("words", 4000)


@pytest.mark.parametrize("command", [line for line in DOCUMENTED if line.startswith("make ")])
def test_a_documented_make_target_exists(command: str) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert command.split()[1] in targets


def test_every_command_and_recipe_is_documented() -> None:
    text = (ROOT / "README.md").read_text()
    for name in cli.command_names():
        assert f"quillflow {name}" in text, f"the README does not show quillflow {name}"
    for name in recipe_names():
        assert f"`{name}`" in text, f"the README does not name the recipe {name}"


def test_links_in_the_docs_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_readmes_stages_run_one_after_the_other(tmp_path: Path) -> None:
    lines = [line for line in commands(ROOT / "README.md") if re.search(r"work/", line)]
    assert len(lines) == 12
    (tmp_path / "my-text.txt").write_text("Once upon a time there was a mill, and the mill ground on. " * 300)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-ec", "\n".join(lines)],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "resumed at train step" in done.stderr
    assert (tmp_path / "work" / "samples" / "report.html").is_file()
