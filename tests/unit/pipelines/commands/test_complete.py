"""`quillflow complete`: a text finished on the terminal, as it is written."""

import io
import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from components.artifacts.vocabulary import Vocabulary
from pipelines.commands.main import main
from tests.arguments import INTERRUPTIBLE
from tests.unit.pipelines import conftest
from tests.unit.pipelines.conftest import MakeRun

ROOT = Path(__file__).parents[4]
COMMAND = [sys.executable, "-m", "pipelines.commands.main", "complete"]
Capture = pytest.CaptureFixture[str]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def written(capsys: Capture, root: Path, *arguments: str) -> str:
    capsys.readouterr()
    assert main(["complete", "once upon ", "--root", str(root), *arguments]) == 0
    return capsys.readouterr().out


def refused(capsys: Capture, *arguments: str) -> tuple[int, str]:
    """The exit code and the one line of a command that says nothing on standard output."""
    with pytest.raises(SystemExit) as raised:
        main(["complete", *arguments])
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert isinstance(raised.value.code, int)
    return raised.value.code, err


def test_a_prompt_is_shown_with_what_follows_it(make_run: MakeRun, root: Path, capsys: Capture) -> None:
    make_run("one")
    text = written(capsys, root, "--length", "30")
    assert text.startswith("once upon ")
    assert text.endswith("\n")
    assert len(text) == len("once upon ") + 30 + 1


def test_a_seed_gives_the_same_text_again_and_another_one_another(
    make_run: MakeRun, root: Path, capsys: Capture
) -> None:
    make_run("one")
    first = written(capsys, root, "--seed", "7")
    assert written(capsys, root, "--seed", "7") == first
    assert written(capsys, root, "--seed", "8") != first


def test_several_texts_differ_and_are_those_that_fewer_would_be(make_run: MakeRun, root: Path, capsys: Capture) -> None:
    make_run("one")

    def texts(n: int) -> list[str]:
        printed = json.loads(written(capsys, root, "--n", str(n), "--length", "40", "--json"))
        return [text["text"] for text in printed["texts"]]

    assert len(set(texts(3))) == 3
    assert texts(2) == texts(3)[:2]
    shown = written(capsys, root, "--n", "3", "--length", "40")
    assert [line for line in shown.splitlines() if line.startswith("---")] == ["--- 1 of 3", "--- 2 of 3", "--- 3 of 3"]
    assert all(f"once upon {text}\n" in shown for text in texts(3))


def test_temperature_0_is_the_likeliest_text_whatever_the_seed(make_run: MakeRun, root: Path, capsys: Capture) -> None:
    make_run("one")
    greedy = written(capsys, root, "--temperature", "0", "--seed", "1")
    assert written(capsys, root, "--temperature", "0", "--seed", "2") == greedy
    assert written(capsys, root, "--temperature", "3", "--top-k", "1") == greedy


def test_the_newest_model_below_the_root_writes_unless_one_is_named(
    make_run: MakeRun, root: Path, capsys: Capture
) -> None:
    make_run("older", seed=1)
    newer = make_run("newer", seed=2)

    def model(*arguments: str) -> str:
        return str(json.loads(written(capsys, root, "--json", *arguments))["model"])

    assert model() == str(newer / "train" / "model")
    assert model("--model", "older") == str(root / "older" / "train" / "model")
    assert model("--model", str(root / "older" / "train" / "model")) == str(root / "older" / "train" / "model")


def test_a_run_that_only_sampled_means_the_model_it_sampled_from(
    make_run: MakeRun, root: Path, capsys: Capture
) -> None:
    make_run("one", seed=1)
    make_run("other", seed=2)
    samples = make_run("again", made_from="one", without=("corpus", "dataset", "model")) / "sample" / "samples"
    for name in ("again", str(samples)):
        printed = json.loads(written(capsys, root, "--json", "--model", name))
        assert printed["model"] == str(root / "one" / "train" / "model")


def test_everything_the_model_lacks_is_named_and_nothing_is_written(
    make_run: MakeRun, root: Path, capsys: Capture
) -> None:
    make_run("one")
    code, line = refused(capsys, "Once, ☃", "--root", str(root))
    assert code == 2
    assert line.startswith("error: the prompt has 'O', ',', '☃', not among the model's 28 characters")


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["", "--root", "ROOT"], 2, "error: the prompt is empty"),
        (["a", "--root", "ROOT", "--temperature", "-1"], 2, "error: complete.temperature: "),
        (
            ["a", "--root", "ROOT", "--temperature", "1e-50"],
            2,
            "error: complete.temperature: must be 0, or from ",
        ),
        (["a", "--root", "ROOT", "--n", "0"], 2, "error: complete.n: "),
        (["a", "--root", "ROOT", "--length", "many"], 2, "error: complete.length: "),
        (["a", "--root", "ROOT/none"], 1, "error: ROOT/none: no model there; make one with quillflow run"),
        (["a", "--root", "ROOT", "--model", "none"], 1, "error: none: neither an artifact nor a run"),
        (["a", "--root", "ROOT", "--model", "ROOT/one/ingest/corpus"], 1, "error: ROOT/one/ingest/corpus: no model"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    make_run: MakeRun, root: Path, capsys: Capture, arguments: list[str], code: int, line: str
) -> None:
    make_run("one")
    found, said = refused(capsys, *(argument.replace("ROOT", str(root)) for argument in arguments))
    assert (found, said[: len(line.replace("ROOT", str(root)))]) == (code, line.replace("ROOT", str(root)))


def test_a_damaged_model_is_refused_by_name(make_run: MakeRun, root: Path, capsys: Capture) -> None:
    path = make_run("one") / "train" / "model" / "model.keras"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    code, line = refused(capsys, "a", "--root", str(root))
    assert code == 1
    assert f"{path}: its SHA-256 is not the manifest's" in line


def test_quiet_says_nothing_but_the_text(make_run: MakeRun, root: Path, capsys: Capture) -> None:
    make_run("one")
    assert main(["complete", "a", "--root", str(root)]) == 0
    assert "1 x LSTM 8 over 28 characters" in capsys.readouterr().err
    assert main(["complete", "a", "--root", str(root), "--quiet"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("no_color", "start"), [("", "\x1b[2monce \x1b[0m"), ("1", "once ")])
def test_on_a_terminal_the_prompt_is_distinguished_by_colour_unless_no_color_is_set(
    make_run: MakeRun, root: Path, monkeypatch: pytest.MonkeyPatch, no_color: str, start: str
) -> None:
    make_run("one")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", no_color)
    assert main(["complete", "once ", "--root", str(root)]) == 0
    assert terminal.getvalue().startswith(start)
    assert ("\x1b" in terminal.getvalue()) == (not no_color)


def test_it_starts_within_three_seconds_and_without_tensorflow(make_run: MakeRun, root: Path) -> None:
    make_run("one")
    code = (
        f"import sys; from pipelines.commands.main import main; main(['complete', 'once', '--root', {str(root)!r}]);"
        "sys.exit(f'slow: {slow}' if (slow := {'tensorflow', 'keras', 'kfp', 'pandas'} & set(sys.modules)) else 0)"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    # A processor's time, which other work on the machine does not stretch.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 3


def test_ctrl_c_ends_it_with_130_and_a_whole_line(make_run: MakeRun, root: Path) -> None:
    make_run("one")
    command = [*INTERRUPTIBLE, *COMMAND, "once", "--root", str(root), "--length", "1000000"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.read(20).startswith("once")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 130
    assert out.endswith("\n")
    assert err.splitlines()[-1] == "error: interrupted"
    assert "Traceback" not in err


def test_a_reader_that_has_had_enough_ends_it_without_a_word(make_run: MakeRun, root: Path) -> None:
    make_run("one")
    command = [*COMMAND, "once", "--root", str(root), "--length", "1000000", "--quiet"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert os.read(process.stdout.fileno(), 4)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_a_newline_is_given_as_the_shell_has_it_and_the_error_says_how(
    make_run: MakeRun, root: Path, capsys: Capture
) -> None:
    make_run("one")
    code, line = refused(capsys, r"once\nupon", "--root", str(root))
    assert code == 2
    assert r"has '\\', not among" in line
    assert r"write a newline as $'\n' in the shell" in line
    assert main(["complete", "once\r\nupon", "--root", str(root), "--json"]) == 0
    windows = json.loads(capsys.readouterr().out)["texts"]
    assert main(["complete", "once\nupon", "--root", str(root), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["texts"] == windows


def test_words_that_the_model_does_not_know_are_reported(
    make_run: MakeRun, root: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = ["\ufffd", "once", " upon", *(f" word{number}" for number in range(len(conftest.VOCABULARY) - 3))]
    vocabulary = Vocabulary(kind="words", tokens=tuple(sorted(tokens)), has_unknown=True)
    monkeypatch.setattr(conftest, "VOCABULARY", vocabulary)
    make_run("one")
    assert main(["complete", "once a zebra upon", "--root", str(root)]) == 0
    assert "warning: the model does not know ' a', ' zebra' and reads '\ufffd' instead" in capsys.readouterr().err
