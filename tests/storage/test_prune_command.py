"""`quillflow artifacts prune` and the pod's command: what they list, ask and refuse, and how they end."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from components.artifacts import storage
from components.prune.__main__ import main as pod
from pipelines.commands.main import main
from tests.storage.old_runs import as_old_as_they_say, left, make_run, promote, run, where
from tests.storage.test_foreign_files import all_in

KEEP = ("--keep-last", "0", "--keep-days", "1")
SIZE = len("text<html>")


class Terminal(io.StringIO):
    """Somebody at a terminal who types this."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def aged(monkeypatch: pytest.MonkeyPatch) -> None:
    as_old_as_they_say(monkeypatch)
    monkeypatch.delenv("QUILLFLOW_ENVIRONMENT", raising=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    monkeypatch.setenv("TERM", "xterm")


Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def quillflow(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command; its exit code and what it wrote."""

    def command(*arguments: str, by: Callable[[list[str]], int] = main) -> tuple[int, str, str]:
        try:
            code = by([*(("artifacts", "prune") if by is main else ()), *arguments])
        except SystemExit as ended:
            code = int(ended.code or 0)
        return code, *capsys.readouterr()

    return command


def test_dry_run_lists_what_would_go_with_its_size_and_removes_nothing(root: str, quillflow: Command) -> None:
    make_run(root, 50, "corpus", "model")
    make_run(root, 0.5)
    before = all_in(root)
    code, out, _ = quillflow("--root", root, *KEEP, "--champion", "none", "--dry-run")
    assert code == 0
    heading, listed, total = out.splitlines()
    assert heading.split() == ["written", "(UTC)", "artifacts", "size", "run"]
    assert listed.split() == ["2026-11-26", "08:00:00", "2", f"{2 * SIZE}", "B", listed.split()[-1]]
    assert listed.endswith(f"/{run(50)}")
    assert total == f"Would remove 2 artifacts of 1 run, {2 * SIZE} B; 1 run stays"
    assert all_in(root) == before


def test_yes_removes_and_says_what(root: str, quillflow: Command) -> None:
    make_run(root, 50, "corpus", "model")
    make_run(root, 40, "corpus")
    code, out, err = quillflow("--root", root, *KEEP, "--champion", "none", "--yes")
    assert (code, out) == (0, f"Removed 3 artifacts of 2 runs, {3 * SIZE} B; 0 runs stay\n")
    assert f"/{run(50)}: {2 * SIZE} B" in err
    assert left(root) == {}
    assert quillflow("--root", root, *KEEP, "--champion", "none", "--yes")[:2] == (0, "Removed nothing; 0 runs stay\n")


def test_json_lists_the_artifacts(root: str, quillflow: Command) -> None:
    make_run(root, 50, "corpus")
    uri = where(root, run(50), "corpus")
    for flag in ("--dry-run", "--yes"):
        code, out, _ = quillflow("--root", root, *KEEP, "--champion", "none", flag, "--json")
        (listed,) = json.loads(out)["runs"]
        assert (code, listed["artifacts"], listed["bytes"]) == (0, [uri], SIZE)
        assert uri.startswith(f"{listed['uri']}/ingest/")
        assert json.loads(out)["removed"] == (flag == "--yes")
    assert left(root) == {}


@pytest.mark.parametrize("answer", ["y\n", "YES\n", "n\n", "\n", ""])
def test_on_a_terminal_it_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, quillflow: Command
) -> None:
    make_run(str(tmp_path), 50, "corpus")
    shown, goes = Terminal(), answer.lower().startswith("y")
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    monkeypatch.setattr(sys, "stderr", shown)
    code, out, _ = quillflow("--root", str(tmp_path), *KEEP)
    what = f"1 artifact of 1 run, {SIZE} B"
    assert f"{SIZE} B  {tmp_path / run(50)}\n0 runs stay.\nRemove {what}? [y/N] " in shown.getvalue()
    assert (code, out) == (0, f"Removed {what}; 0 runs stay\n" if goes else "Removed nothing; 1 run stays\n")
    assert (left(str(tmp_path)) == {}) == goes


def test_without_a_terminal_it_refuses_with_2_and_removes_nothing(root: str, quillflow: Command) -> None:
    make_run(root, 50, "corpus")
    before = all_in(root)
    code, out, err = quillflow("--root", root, *KEEP, "--champion", "none")
    assert (code, out) == (2, "")
    assert "there is no terminal to ask on; give --yes to remove, or --dry-run to list" in err
    assert all_in(root) == before


def test_a_closed_standard_input_is_no_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quillflow: Command
) -> None:
    make_run(str(tmp_path), 50, "corpus")
    monkeypatch.setattr(sys, "stdin", None)
    assert quillflow("--root", str(tmp_path), *KEEP)[0] == 2
    assert left(str(tmp_path)) == {run(50): {"corpus"}}


def test_the_champion_next_to_the_runs_or_above_them_is_found(root: str, quillflow: Command) -> None:
    for days in (50, 40):
        make_run(f"{root}/runs", days, "model")
    promote(f"{root}/runs", where(f"{root}/runs", run(50), "model"))
    promote(root, where(f"{root}/runs", run(40), "model"))
    assert quillflow("--root", f"{root}/runs", *KEEP, "--yes")[:2] == (0, "Removed nothing; 2 runs stay\n")


def test_a_champion_elsewhere_is_named(root: str, quillflow: Command) -> None:
    for days in (50, 40):
        make_run(f"{root}/runs", days, "model")
    promote(f"{root}/else/where", where(f"{root}/runs", run(50), "model"))
    flags = ("--root", f"{root}/runs", *KEEP, "--yes", "--champion")
    code, _, err = quillflow(*flags, f"{root}/no/champion")
    assert (code, "no champion is there yet" in err) == (1, True)
    assert quillflow(*flags, f"{root}/else/where/champion")[0] == 0
    assert left(f"{root}/runs") == {run(50): {"model"}}


@pytest.mark.parametrize("kind", ["gs", "s3"])
def test_in_a_bucket_somebody_has_to_say_where_the_champion_is(root: str, quillflow: Command) -> None:
    make_run(root, 50, "model")
    code, _, err = quillflow("--root", root, *KEEP, "--yes")
    assert code == 2
    assert f"no champion's pointer at {root}/champion or " in err
    assert "name it with --champion URI, or the environment with --environment, or say --champion none" in err
    assert left(root) == {run(50): {"model"}}


def test_the_environments_champion_stays_whatever_else_is_said(tmp_path: Path, quillflow: Command) -> None:
    root = str(tmp_path / "runs")
    make_run(root, 50, "model")
    promote(f"{tmp_path}/best", where(root, run(50), "model"))
    environment = tmp_path / "mine.yaml"
    environment.write_text(f"cluster:\n  pipeline_root: {root}\n  champion: {tmp_path}/best/champion\n")
    for more in ((), ("--champion", "none")):
        done = quillflow("--environment", str(environment), *KEEP, "--yes", *more)
        assert done[:2] == (0, "Removed nothing; 1 run stays\n"), done


def test_a_damaged_pointer_is_an_error_and_removes_nothing(root: str, quillflow: Command) -> None:
    make_run(root, 50, "model")
    storage.write_file(f"{root}/champion", b"{")
    code, _, err = quillflow("--root", root, *KEEP, "--yes")
    assert code == 1
    assert f"{root}/champion: not a champion's pointer, or incomplete" in err
    assert left(root)[run(50)] == {"model"}


def test_a_directory_called_champion_is_no_pointer(tmp_path: Path, quillflow: Command) -> None:
    make_run(f"{tmp_path}/runs", 50, "model")
    (tmp_path / "champion").mkdir()
    assert quillflow("--root", f"{tmp_path}/runs", *KEEP, "--yes")[0] == 0
    assert left(f"{tmp_path}/runs") == {}


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--keep-last", "1"), "the following arguments are required: --keep-days"),
        (("--keep-days", "1"), "the following arguments are required: --keep-last"),
        (("--keep-last", "-1", "--keep-days", "1"), "must be a number of at least 0, not '-1'"),
        (("--keep-last", "1", "--keep-days", "0"), "must be a number of at least 1, not '0'"),
        (("--keep-last", "x", "--keep-days", "1"), "must be a number of at least 0, not 'x'"),
    ],
)
def test_both_numbers_are_needed_and_checked(
    tmp_path: Path, quillflow: Command, flags: tuple[str, ...], said: str
) -> None:
    code, _, err = quillflow("--root", str(tmp_path), *flags, "--yes")
    assert (code, said in err) == (2, True), err


def test_the_pods_command_does_the_same_and_asks_nothing(root: str, quillflow: Command) -> None:
    make_run(root, 50, "model")
    make_run(root, 40, "model")
    promote(f"{root}/best", where(root, run(40), "model"))
    flags = ("--root", root, *KEEP, "--champion", f"{root}/best/champion")
    assert quillflow(*flags, by=pod)[0] == 2
    code, out, _ = quillflow(*flags, "--yes", by=pod)
    assert (code, out) == (0, f"Removed 1 artifact of 1 run, {SIZE} B; 1 run stays\n")
    assert left(root)[run(40)] == {"model"}
