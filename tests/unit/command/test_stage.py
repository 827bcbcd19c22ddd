"""A stage's command line: every error is one line with an exit code, and flags go before recipes."""

import argparse
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.errors import (
    ArtifactError,
    CheckpointsInUseError,
    QuillflowError,
    SourceError,
    UsageError,
)
from components.artifacts.version import VERSION
from components.command import log
from components.command.parser import CommandParser, Parser
from components.command.settings import Settings, add_flags, setting
from components.command.stage import Stage, errors_in_one_line, stage_task
from components.ingest.config import IngestConfig


@pytest.fixture(autouse=True)
def plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(log.FORMAT_VARIABLE, raising=False)


def ended_by(error: BaseException, *, verbose: bool = False) -> int:
    """The exit code that an error becomes."""
    log.set_up("train")
    with pytest.raises(SystemExit) as raised, errors_in_one_line(verbose=verbose):
        raise error
    assert isinstance(raised.value.code, int)
    return raised.value.code


ERRORS = [
    (QuillflowError("stopped"), 1, "stopped"),
    (UsageError("train.epochs: no"), 2, "train.epochs: no"),
    (SourceError("a.txt: no such file"), 1, "a.txt: no such file"),
    (ArtifactError("a/b: damaged"), 1, "a/b: damaged"),
    (CheckpointsInUseError("owned"), 75, "owned"),
    (FileNotFoundError(2, "No such file or directory", "a/b.txt"), 1, "a/b.txt: No such file or directory"),
    (OSError(28, "No space left on device"), 1, "No space left on device"),
    (OSError("odd"), 1, "odd"),
    (KeyboardInterrupt(), 130, "interrupted"),
    (
        ZeroDivisionError("by\n  zero"),
        1,
        "unexpected ZeroDivisionError: by zero; --verbose shows where",
    ),
]


@pytest.mark.parametrize(("error", "code", "line"), ERRORS, ids=[type(error).__name__ for error, _, _ in ERRORS])
def test_an_error_becomes_one_line_and_an_exit_code(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended_by(error) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"train      error: {line}\n"


def test_a_full_disk_is_reported_with_the_room_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended_by(OSError(28, "No space left on device", "/nowhere/a.html")) == 1
    line = r"train      error: /nowhere/a.html: No space left on device: [\d,]+ of [\d,]+ bytes are free\n"
    assert re.fullmatch(line, capsys.readouterr().err)


@pytest.mark.parametrize("error", [ArtifactError("damaged"), OSError("odd"), ValueError("odd")], ids=repr)
def test_verbose_shows_the_traceback_before_the_line(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended_by(error, verbose=True) == 1
    err = capsys.readouterr().err
    assert err.startswith("Traceback (most recent call last):\n")
    assert "in ended_by" in err
    last = err.splitlines()[-1]
    assert last.startswith("train      error: ")
    assert "--verbose" not in last


def test_work_that_ends_well_or_by_its_own_exit_code_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with errors_in_one_line():
        pass
    with pytest.raises(SystemExit) as raised, errors_in_one_line():
        raise SystemExit(143)
    assert raised.value.code == 143
    assert capsys.readouterr().err == ""


def test_a_task_logs_as_its_stage_with_tracebacks_and_exit_codes_for_the_runner(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(log.FORMAT_VARIABLE, "json")
    with pytest.raises(SystemExit) as raised, stage_task("vectorize"):
        raise UsageError("vectorize.length: no")
    assert raised.value.code == 2
    *trace, last = capsys.readouterr().err.splitlines()
    assert trace[0] == "Traceback (most recent call last):"
    entry = json.loads(last)
    assert (entry["stage"], entry["severity"], entry["exit_code"]) == ("vectorize", "ERROR", 2)
    assert entry["message"] == "error: vectorize.length: no"


class CopyConfig(Settings):
    times: int = setting(1, "how often", unit="copies", ge=1)
    name: str = setting("copy", "the copies' name")


def copy(config: CopyConfig, *, text: str, copies: str) -> Mapping[str, Any]:
    log.info(f"{config.times} of {text}")
    if text == "nothing":
        raise ArtifactError("nothing: no such text")
    return {"copies": [f"{copies}/{config.name}-é-{n}" for n in range(config.times)]}


STAGE = Stage(
    name="copy",
    summary="Copy a text.",
    settings=CopyConfig,
    inputs={"text": "what to copy"},
    outputs={"copies": "where the copies go"},
    work=copy,
)


def test_a_stage_hands_its_work_settings_and_uris_and_prints_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    assert STAGE.main(["--text", "a", "--copies", "b", "--times", "2", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {"copies": ["b/copy-é-0", "b/copy-é-1"]}
    assert out.isascii(), "any output takes it"
    assert err == "copy       2 of a\n"


def test_without_json_a_stage_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert STAGE.main(["--text", "a", "--copies", "b"]) == 0
    assert capsys.readouterr().out == ""


def test_flags_go_before_a_recipes_settings_and_those_before_the_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    defaults = {"times": 3, "name": "recipes"}
    STAGE.add_arguments(parser, defaults)
    assert STAGE.run(parser.parse_args(["--text=a", "--copies=b", "--times=1", "--json"]), defaults) == 0
    assert json.loads(capsys.readouterr().out) == {"copies": ["b/recipes-é-0"]}


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["--text=a", "--times=0"], 2, "copy.times: input should be greater than or equal to 1, not '0'"),
        (["--text=nothing"], 1, "nothing: no such text"),
    ],
)
def test_a_stages_command_ends_with_the_errors_exit_code(
    arguments: list[str], code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as raised:
        STAGE.main([*arguments, "--copies=b"])
    assert raised.value.code == code
    assert capsys.readouterr().err.splitlines()[-1] == f"copy       error: {line}"


@pytest.mark.parametrize("arguments", [[], ["--text=a"], ["--text=a", "--copies=b", "--tims=1"]])
def test_wrong_use_of_a_command_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        STAGE.main(arguments)
    assert raised.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("copy       error: ")
    assert line.endswith("; python -m components.copy --help lists them")


def test_the_version_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        STAGE.main(["--version"])
    assert capsys.readouterr().out == f"quillflow {VERSION}\n"


def test_a_file_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up("")
    with pytest.raises(SystemExit), errors_in_one_line():
        (tmp_path / "nowhere.txt").read_bytes()
    assert capsys.readouterr().err == f"error: {tmp_path / 'nowhere.txt'}: No such file or directory\n"


@pytest.mark.parametrize("repeated", [("--one", "a", "--one", "b"), ("--one=a", "--one", "a")])
def test_a_flag_that_takes_one_value_is_given_once(repeated: tuple[str, ...]) -> None:
    parser = Parser(prog="x")
    parser.add_argument_group("a group").add_argument("--one", default="")
    with pytest.raises(UsageError, match=r"^--one is given twice; give it once$"):
        parser.parse_args(list(repeated))
    assert parser.parse_args(["--one", "a"]).one == "a"
    assert parser.parse_args(["--one", "b"]).one == "b"


def test_a_flag_of_a_command_is_given_once() -> None:
    parser = Parser(prog="x")
    command = parser.add_subparsers(parser_class=CommandParser).add_parser("run")
    command.add_argument("--root", default="runs")
    with pytest.raises(UsageError, match=r"^--root is given twice"):
        parser.parse_args(["run", "--root", "a", "--root", "b"])


def test_settings_that_are_lists_may_be_given_in_parts_and_no_switch_both_ways() -> None:
    parser = Parser(prog="x")
    add_flags(parser, IngestConfig, {})
    assert parser.parse_args(["--keep-users", "a", "b", "--keep-users", "c"]).keep_users == ["a", "b", "c"]
    with pytest.raises(UsageError, match="--lowercase and its opposite are both given"):
        parser.parse_args(["--lowercase", "--no-lowercase"])
