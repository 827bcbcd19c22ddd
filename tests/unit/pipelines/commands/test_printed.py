"""Every command that prints a user's text does so on any output, and shows what a terminal would obey."""

import io
import re
import sys
from pathlib import Path

import pytest

from components.artifacts.manifest import write_manifest
from components.artifacts.vocabulary import Vocabulary
from pipelines.commands.main import main
from pipelines.commands.output import redraw
from pipelines.local import running as local
from tests.unit.pipelines import conftest
from tests.unit.pipelines.conftest import MakeRun

HARM = "\u4e2d\x1b]0;harm\x07\x9b2J\u202e\x85"
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
COMMANDS = {
    "ls": ["artifacts", "ls"],
    "show": ["artifacts", "show", f"one {HARM}"],
    "compare": ["compare", f"one {HARM}", f"two {HARM}"],
    "complete": ["complete", "once upon "],
    "recipe": ["recipes", "RECIPE"],
    "stage's help": ["sample", "--recipe", "RECIPE", "--help"],
    "no such run": ["artifacts", "show", f"none\n{HARM}"],
    "no such command": [HARM],
    "no such setting": ["run", "--set", f"train.{HARM}=1"],
    "a wrong value": ["run", "--set", f"train.epochs={HARM}"],
    "no such file": ["run", "--recipe", f"{HARM}.yaml"],
}


@pytest.fixture
def everywhere(make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Runs, a recipe and a model that have such codes wherever text may be."""
    tokens = tuple(dict.fromkeys(f"\n onceup{HARM}abdfgijklqrst"))[: len(conftest.VOCABULARY)]
    monkeypatch.setattr(conftest, "VOCABULARY", Vocabulary(kind="characters", tokens=tuple(sorted(tokens))))
    for number, name in enumerate(("one", "two")):
        place = make_run(f"{name} {HARM}", seed=number + 1, sample={"prompts": [f"{name} {HARM}"]})
        write_manifest(
            place / "ingest" / "corpus",
            kind="corpus",
            stage="ingest",
            config={"source": HARM},
            counts={HARM: 1},
            made_from={"source": HARM},
        )
    quoted = HARM.encode("unicode_escape").decode()
    (tmp_path / "mine.yaml").write_text(f'description: "{quoted}"\nsample:\n  prompts: ["{quoted}"]\n')
    return tmp_path


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252"])
@pytest.mark.parametrize("form", ["", "--json"])
@pytest.mark.parametrize("name", COMMANDS)
def test_what_people_wrote_is_shown_on_every_output(
    everywhere: Path,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    form: str,
    encoding: str,
) -> None:
    output = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(output, encoding=encoding, errors="strict"))
    arguments = [argument.replace("RECIPE", str(everywhere / "mine.yaml")) for argument in COMMANDS[name]]
    kept = ["--root", str(root)] if arguments[0] in {"artifacts", "compare", "complete", "run"} else []
    fails = name.startswith(("no such", "a wrong"))
    try:
        code = main([*arguments, *kept, *([form] if form else [])])
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0
    printed, said = output.getvalue().decode(encoding), capsys.readouterr().err
    assert bool(code) == fails, said
    assert not OBEYED.search(printed)
    assert not OBEYED.search(said)
    assert said.count("\n") == 1 if fails else printed
    if name in {"show", "compare", "recipe", "stage's help", "ls"}:
        assert "]0;harm" in printed


@pytest.mark.parametrize("rows", ["", '{"text": "cut', '{"text": "x"}\n'])
def test_a_run_that_is_done_is_listed_whatever_of_it_cant_be_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], rows: str
) -> None:
    (tmp_path / "samples-00000-of-00001.jsonl").write_text(rows)
    uris = {**dict.fromkeys(("corpus", "dataset", "model", "report"), "somewhere"), "samples": str(tmp_path)}
    done = local.Run(name="tale", artifacts=uris, metrics={"validation_loss_nats": None}, stages={})
    monkeypatch.setattr(local, "run_pipeline", lambda *_, **__: done)  # which takes a minute
    assert main(["run", "--recipe", "quick", "--source", "a.txt"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Run tale done in ")
    assert f"  samples      {tmp_path}" in out
    assert err.count("warning: some of the result can't be shown (") == 2


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "drawn"),
    [(Terminal, "one\na line th\n\x1b[2A\x1b[Jtwo\n"), (io.StringIO, "one\na line that is long\n\ntwo\n")],
)
def test_what_is_watched_is_drawn_in_its_place_on_a_terminal_and_below_elsewhere(
    monkeypatch: pytest.MonkeyPatch, stream: type[io.StringIO], drawn: str
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "10")
    monkeypatch.setattr(sys, "stdout", stream())
    height = redraw(["one", "a line that is long"], 0)
    redraw(["two"], height)
    assert sys.stdout.getvalue() == drawn  # type: ignore[attr-defined]
