"""What is printed is shown and not obeyed, whatever the output takes, and whoever reads it."""

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components.command.printing import paint, visible, without_colours, write
from tests.shorter import mostly_slow

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-m", "pipelines.commands.main"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, caf\u00e9, \u4e2d\u6587, \u05e9\u05dc\u05d5\u05dd, \U0001f600\n\tindented", None),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("over\rwritten\b\x00\x7f", "over\\rwritten\\x08\\x00\\x7f"),
        ("\x9b2J\x85\x90", "\\x9b2J\\x85\\x90"),
        ("abc\u202etxt.exe\u2069", "abc\\u202etxt.exe\\u2069"),
        ("caf\udce9", "caf\\udce9"),
    ],
)
def test_what_would_be_obeyed_is_shown_and_all_else_as_it_is(text: str, shown: str | None) -> None:
    assert visible(text) == (text if shown is None else shown)
    assert visible(visible(text)) == visible(text)


def test_a_line_stays_one() -> None:
    assert visible("a\nb\x1b\tc", one_line=True) == "a\\nb\\x1b\tc"


def test_other_programs_colours_go_and_their_other_codes_show() -> None:
    assert visible(without_colours("\x1b[1;94mtrain\x1b[0m done\x1b[2J")) == "train done\\x1b[2J"


def test_colour_is_put_around_what_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal = Terminal()
    write("a\x1b[0mb", terminal, colour="red")
    assert terminal.getvalue() == "\x1b[31ma\\x1b[0mb\x1b[0m"


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_nothing_is_coloured_where_it_is_not_wanted(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(name, value)
    assert paint("broken", "red", Terminal()) == "broken"


def test_nothing_is_coloured_in_a_file() -> None:
    assert paint("broken", "red", io.StringIO()) == "broken"


@pytest.mark.parametrize(
    ("encoding", "bytes_"),
    [
        ("ascii", b"caf\\xe9 \\u4e2d \\U0001f600"),
        ("cp1252", b"caf\xe9 \\u4e2d \\U0001f600"),
        ("utf-8", "caf\u00e9 \u4e2d \U0001f600".encode()),
    ],
)
def test_what_the_output_lacks_is_shown_as_an_escape(encoding: str, bytes_: bytes) -> None:
    output = io.BytesIO()
    stream = io.TextIOWrapper(output, encoding=encoding, errors="strict")
    write("caf\u00e9 \u4e2d \U0001f600", stream)
    assert output.getvalue() == bytes_


def run(arguments: list[str], redirections: str = "", **options: Any) -> subprocess.CompletedProcess[bytes]:
    command = ["sh", "-c", f'exec "$@" {redirections}', "sh", *COMMAND, *arguments]
    return subprocess.run(command, cwd=ROOT, check=False, timeout=60, stderr=subprocess.PIPE, **options)


@pytest.mark.parametrize(
    "arguments",
    mostly_slow([["recipes"], ["recipes", "quick", "--json"], ["completion", "bash"], ["--help"], ["--version"]]),
)
def test_a_reader_who_has_left_ends_a_command_quietly(arguments: list[str]) -> None:
    read, written = os.pipe()
    os.close(read)
    done = run(arguments, stdout=written)
    os.close(written)
    assert (done.returncode, done.stderr) == (141, b"")


def test_closed_standard_streams_are_no_error_and_no_files_place() -> None:
    assert (run(["recipes"], ">&-").returncode, run(["recipes"], ">&-").stderr) == (0, b"")
    assert run(["recipes", "nosuch"], "2>&- <&- >&-").returncode == 2
    code = (
        "import os, sys; from components.command.printing import open_standard_streams as op; op(); "
        "os._exit(os.open('/dev/null', os.O_RDONLY))"
    )
    closed = subprocess.run(
        ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-c", code], cwd=ROOT, check=False
    )
    assert closed.returncode > 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
def test_an_output_that_is_full_is_named() -> None:
    done = run(["recipes"], ">/dev/full")
    assert (done.returncode, done.stderr) == (1, b"error: standard output: No space left on device\n")


@pytest.mark.parametrize(("form", "code"), [("", 0), ("json", 141)])
def test_who_watches_may_leave_but_a_run_that_is_gone_ends_its_stage(form: str, code: int) -> None:
    script = "from components.command import log; log.set_up('train'); log.info('a'); log.info('b'); print('done')"
    read, written = os.pipe()
    os.close(read)
    environment = {**os.environ, "QUILLFLOW_LOG": form}
    command = [sys.executable, "-c", script]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stderr=written, stdout=subprocess.PIPE, timeout=60, check=False
    )
    os.close(written)
    assert (done.returncode, done.stdout) == (code, b"" if code else b"done\n")
