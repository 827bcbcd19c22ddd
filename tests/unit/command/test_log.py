"""What the log writes: to a terminal, to a file and as JSON, with nothing that a terminal would obey."""

import io
import json
import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from components.artifacts.version import VERSION
from components.command import log
from components.command.log import Display


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that advances on request."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(log, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("COLUMNS", "24")
    monkeypatch.setenv("TERM", "xterm")
    return Terminal()


def test_a_message_is_a_line_after_its_stages_name() -> None:
    stream = io.StringIO()
    Display(stream).show("train", "epoch 1: loss 2.5")
    Display(stream).show("", "no stage")
    assert stream.getvalue() == "train      epoch 1: loss 2.5\nno stage\n"


def test_lines_of_one_message_are_below_each_other() -> None:
    stream = io.StringIO()
    Display(stream).show("train", "sample:\nto be\n")
    assert stream.getvalue() == "train      sample:\n           to be\n           \n"


def test_progress_without_a_terminal_is_a_line_every_five_seconds_at_most(clock: Clock) -> None:
    stream = io.StringIO()
    display = Display(stream)
    for second in range(12):
        clock.now = second
        display.show("train", f"step {second}", progress=True)
    assert stream.getvalue() == "train      step 0\ntrain      step 5\ntrain      step 10\n"


def test_messages_without_a_terminal_are_never_held_back(clock: Clock) -> None:
    stream = io.StringIO()
    display = Display(stream)
    display.show("train", "step 1", progress=True)
    clock.now = 1
    display.show("train", "epoch 1")
    display.show("train", "step 2", progress=True)
    assert stream.getvalue() == "train      step 1\ntrain      epoch 1\n"


def test_progress_on_a_terminal_rewrites_one_line_that_fits(terminal: Terminal) -> None:
    display = Display(terminal)
    display.show("train", "step 1", progress=True)
    display.show("train", "step 2 of a great many", progress=True)
    assert terminal.getvalue() == "train      step 1" + "\r\x1b[K" + "train      step 2 of a "[:23]


def test_a_message_after_progress_starts_on_a_clean_line(terminal: Terminal) -> None:
    display = Display(terminal)
    display.show("train", "step 1", progress=True)
    display.show("train", "a message longer than the terminal is wide")
    display.show("train", "another")
    assert terminal.getvalue() == (
        "train      step 1\r\x1b[Ktrain      a message longer than the terminal is wide\ntrain      another\n"
    )


@pytest.mark.usefixtures("clock")
def test_a_dumb_terminal_gets_plain_lines(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    display = Display(terminal)
    display.show("train", "step 1", progress=True)
    display.show("train", "step 2", progress=True)
    assert terminal.getvalue() == "train      step 1\n"


def test_every_level_is_shown_as_such(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(log.FORMAT_VARIABLE, raising=False)
    log.set_up("ingest")
    log.info("100 % read")
    log.warning("odd")
    log.progress("1 MB read")
    log.error("broken", 75)
    assert capsys.readouterr().err.splitlines() == [
        "ingest     100 % read",
        "ingest     warning: odd",
        "ingest     1 MB read",
        "ingest     error: broken",
    ]


def test_json_lines_say_when_whose_and_how_bad_and_the_exit_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(log.FORMAT_VARIABLE, "json")
    monkeypatch.setenv(log.RUN_VARIABLE, "nightly-7")
    monkeypatch.setenv("KFP_RETRY_INDEX", "1")  # as Kubeflow counts
    log.set_up("train")
    began = datetime.now(UTC)
    log.info("é\nand more")
    log.warning("odd")
    log.progress("step 1")
    log.progress("step 2")
    log.error("broken", 75)
    lines = capsys.readouterr().err.splitlines()
    entries = [json.loads(line) for line in lines]
    times = [entry.pop("time") for entry in entries]
    same = {"quillflow": VERSION, "run": "nightly-7", "stage": "train", "attempt": 2}
    assert entries == [
        {**same, "severity": "INFO", "message": "é\nand more"},
        {**same, "severity": "WARNING", "message": "warning: odd"},
        {**same, "severity": "DEBUG", "message": "step 1"},
        {**same, "severity": "DEBUG", "message": "step 2"},
        {**same, "severity": "ERROR", "message": "error: broken", "exit_code": 75},
    ]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time) for time in times), "RFC 3339"
    assert all(abs(datetime.fromisoformat(time) - began) < timedelta(minutes=1) for time in times)
    assert all(line.startswith('{"quillflow"') and line.isascii() for line in lines)


def test_a_json_line_outside_a_run_is_of_attempt_1_and_of_no_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (log.RUN_VARIABLE, log.RESTART_VARIABLE, "KFP_RETRY_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(log.FORMAT_VARIABLE, "json")
    log.set_up("")
    log.info("read")
    entry = json.loads(capsys.readouterr().err)
    assert (entry["stage"], entry["attempt"], "run" in entry, "restart" in entry) == ("", 1, False, False)


def test_setting_up_again_replaces_the_stage(capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up("ingest")
    log.set_up("train")
    log.info("once")
    assert capsys.readouterr().err.splitlines() == ["train      once"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (9.4, "0:09"),
        (59.6, "1:00"),
        (61, "1:01"),
        (3599.4, "59:59"),
        (3599.5, "1:00:00"),
        (3661, "1:01:01"),
        (90_000, "25:00:00"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert log.duration(seconds) == text


def test_quiet_lets_errors_through_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up("ingest", quiet=True)
    log.info("read")
    log.warning("odd")
    log.progress("1 MB")
    log.error("broken")
    assert capsys.readouterr().err.splitlines() == ["ingest     error: broken"]
    assert log.is_quiet()
    log.set_up("ingest")
    assert not log.is_quiet()


def test_a_quiet_display_shows_nothing() -> None:
    stream = io.StringIO()
    Display(stream, quiet=True).show("train", "epoch 1")
    assert stream.getvalue() == ""


def test_errors_and_warnings_are_coloured_on_a_terminal(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    display = Display(terminal)
    display.show("", "error: broken")
    display.show("", "warning: odd")
    display.show("", "an error: not at the start")
    assert terminal.getvalue().splitlines() == [
        "\x1b[31merror:\x1b[0m broken",
        "\x1b[33mwarning:\x1b[0m odd",
        "an error: not at the start",
    ]


def test_what_a_terminal_would_obey_is_shown_in_every_kind_of_line(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    display = Display(terminal)
    display.show("train", "a sample:\n\x1b]0;title\x07 \x9b2J")
    display.show("train", "read \x1b[31m\nof it", progress=True)
    assert terminal.getvalue() == (
        "train      a sample:\n           \\x1b]0;title\\x07 \\x9b2J\ntrain      read \\x1b[31m\\nof it"
    )


@pytest.mark.parametrize("form", ["", "json"])
def test_errors_and_warnings_are_one_line_whatever_name_is_in_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setenv(log.FORMAT_VARIABLE, form)
    log.set_up("")
    log.error("a\nerror: b\x1b[2J.txt: no such file")
    log.warning("a\nb")
    lines = capsys.readouterr().err.split("\n")
    said = [json.loads(line)["message"] for line in lines[:-1]] if form else lines[:-1]
    assert said == ["error: a\\nerror: b\\x1b[2J.txt: no such file", "warning: a\\nb"]
