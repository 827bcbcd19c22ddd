"""Imports run one way: pipelines -> stages -> generator and command -> artifacts; and the slow ones are late."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STAGES = ("ingest", "vectorize", "train", "sample")
SHARED = {"artifacts": {"artifacts"}, "command": {"artifacts", "command"}, "generator": {"artifacts", "generator"}}
ALLOWED = {
    **SHARED,
    **{part: {*SHARED, part} for part in (*STAGES, "judging", "notify", "prune", "report", "tensorboard", "unchanged")},
}
ALLOWED["promote"] = {*SHARED, "judging", "promote"}
ROOMS = {
    "inputs": set(),
    "build": {"inputs"},
    "results": {"inputs"},
    "local": {"inputs", "build"},
    "cluster": {"inputs", "build", "results", "local"},
    "doctor": {"inputs", "build", "local", "cluster"},
    "commands": {"inputs", "build", "results", "local", "cluster", "doctor"},
    "api": {"inputs", "build", "results", "local"},
}
"""What each room of pipelines/ may import; the pipelines themselves, at the top, go with what builds them."""
MODULES = sorted(
    path.relative_to(ROOT) for folder in ("components", "pipelines") for path in (ROOT / folder).rglob("*.py")
)


def imported(path: Path) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", [path for path in MODULES if path.parts[0] == "components"], ids=str)
def test_a_component_imports_only_what_is_below_it(path: Path) -> None:
    own = path.parts[1]
    for name in imported(path):
        assert not name.startswith("pipelines"), f"{path} imports {name}"
        parts = name.split(".")
        if parts[0] == "components" and len(path.parts) > 2:
            assert parts[1] in ALLOWED[own], f"{path} imports {name}"


def room(module: str) -> str:
    name = module.split(".")[1]
    return "build" if name in {"text_generation", "single_stages"} else name


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.parts[0] == "pipelines" and path.parts[1:] != ("__init__.py",)], ids=str
)
def test_a_room_of_the_pipelines_imports_only_what_is_below_it(path: Path) -> None:
    own = room(".".join(path.with_suffix("").parts))
    for name in imported(path):
        if name.startswith("pipelines."):
            assert room(name) in {own, *ROOMS[own]}, f"{path} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_only_component_py_and_pipelines_import_kfp(path: Path) -> None:
    if path.name != "component.py" and path.parts[0] != "pipelines":
        assert not {name for name in imported(path) if name.split(".")[0] == "kfp"}


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_tensorflow_comes_in_by_one_door(path: Path) -> None:
    if path != Path("components/artifacts/tensorflow.py"):
        assert not {name for name in imported(path) if name.split(".")[0] in {"tensorflow", "keras"}}


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_no_module_reads_the_environment_at_import(path: Path) -> None:
    for node in ast.parse((ROOT / path).read_text()).body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            assert "os.environ.get" not in ast.unparse(node)
            assert "os.getenv" not in ast.unparse(node)


def test_the_command_lines_import_nothing_slow() -> None:
    modules = [
        "pipelines.commands.main",
        *(f"components.{part}.__main__" for part in (*STAGES, "prune", "tensorboard")),
    ]
    code = (
        f"import sys, importlib\nfor name in {modules!r}: importlib.import_module(name)\n"
        "slow = {'tensorflow', 'keras', 'kfp', 'pandas', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(f'imported: {slow}' if slow else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
