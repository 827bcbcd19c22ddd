"""What all code keeps to, so that a kind of fault can't come back at another place."""

import ast
import re
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


PRINTING = Path("components/command/printing.py")
RELAYED = {Path("pipelines/local/containers.py")}
"""What writes where the engine's output goes, which is relayed through PRINTING."""


@pytest.mark.parametrize("path", [path for path in MODULES if path != PRINTING and path not in RELAYED], ids=str)
def test_all_that_is_printed_goes_through_one_function(path: Path) -> None:
    """It shows what a terminal would obey; no other code may write to a standard stream."""
    streams = {"sys.stdout", "sys.stderr", "sys.__stdout__", "sys.__stderr__"}
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in {"print", "traceback.print_exc", "json.dump"}, f"line {node.lineno}: {called}"
            assert called.rpartition(".")[0] not in {*streams, *(f"{each}.buffer" for each in streams)}
            if called == "put":  # as it is: what goes to a stream was made visible, or is ASCII
                assert path in {Path("components/command/log.py"), Path("pipelines/local/engine.py")}


SCRATCH = Path("components/artifacts/scratch.py")


@pytest.mark.parametrize("path", [path for path in MODULES if path != SCRATCH], ids=str)
def test_temporary_directories_are_of_the_kind_that_is_swept(path: Path) -> None:
    made = {"mkdtemp", "mkstemp", "TemporaryDirectory", "NamedTemporaryFile", "TemporaryFile"}
    assert made.isdisjoint(attributes(path))


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_nothing_is_cut_at_what_else_unicode_takes_for_a_lines_end(path: Path) -> None:
    """JSON lines and whatever programs write end at newlines; people's text holds U+2028, U+0085 and others."""
    assert "splitlines" not in attributes(path)


@pytest.mark.parametrize("path", [path for path in MODULES if path != Path("components/artifacts/as_json.py")], ids=str)
def test_all_json_is_written_by_one_function(path: Path) -> None:
    """It refuses NaN and Infinity, which are no JSON."""
    assert not {"dumps", "dump", "JSONEncoder", "model_dump_json"} & set(attributes(path))


MACHINE = Path("components/artifacts/machine.py")
ONLY_LINUX = {"sched_getaffinity", "posix_fadvise", "posix_fallocate", "memfd_create", "prlimit", "copy_file_range"}
"""Of what Python's library has on Linux alone, what this code might want."""


@pytest.mark.parametrize("path", [path for path in MODULES if path != MACHINE], ids=str)
def test_what_only_linux_answers_is_asked_in_one_place_that_knows_what_to_do_elsewhere(path: Path) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}.isdisjoint(ONLY_LINUX)
    texts = {str(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert not [text for text in texts if text.startswith(("/proc", "/sys/"))]


GNU_ONLY = r"readlink -f|realpath|nproc|timeout |sed -i|sed -r|grep -P|date -d|stat -c|sort -V|xargs -r|cp --|setsid"


@pytest.mark.parametrize("path", ["Makefile", "tests/deploy/kustomize/build.sh", "images/build.sh", "images/push.sh"])
def test_what_make_runs_takes_no_tool_that_only_linux_has(path: str) -> None:
    assert re.findall(GNU_ONLY, (ROOT / path).read_text(encoding="utf-8")) == []


WALL_CLOCK = {
    Path("components/artifacts/champion.py"),  # when a model was promoted, for people
    Path("components/artifacts/scratch.py"),  # the age of a directory, beside the lock that decides
    Path("components/artifacts/storage/staging.py"),  # the age in days of what a killed process left
    Path("components/train/showing.py"),  # when progress.json was written, for people
    Path("pipelines/cluster/overview.py"),  # how old that is, and since when a stage runs, for people
    Path("pipelines/cluster/schedule_check.py"),  # how long ago a schedule succeeded, by the cluster's times
    Path("components/prune/pruning.py"),  # the age in days of a run
    Path("pipelines/cluster/runs.py"),  # since when a run of the cluster goes, for people
}
"""Where the time of day is asked, and for what."""


@pytest.mark.parametrize("path", [path for path in MODULES if path not in WALL_CLOCK], ids=str)
def test_what_waits_or_is_paced_goes_by_a_clock_that_nobody_can_set(path: Path) -> None:
    """Ownership, pacing, saving and waiting do not change when the time of day jumps."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            asks = called.endswith(("datetime.now", "datetime.utcnow", "date.today"))
            assert not asks, f"line {node.lineno}: {called}"
            assert called not in {"time.time", "time.time_ns"}
