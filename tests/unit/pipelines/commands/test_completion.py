"""Tab completion, in the shells themselves."""

import json
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from components.steps import STAGES
from pipelines.build.environment import environment_names
from pipelines.commands import completion_script as completion
from pipelines.commands import main as cli
from pipelines.commands.main import command_names, main
from pipelines.inputs.settings import recipe_names

Complete = Callable[..., set[str]]
ZSH_SETS_UP = "autoload -U +X compinit && compinit -D -d {dump}"
ZSH_COMPLETES_IN = "emulate -L sh; setopt kshglob noshglob braceexpand nokshautoload"
"""What zsh's bashcompinit sets before it calls a function of bash's kind."""


@pytest.fixture(params=["bash", "zsh"])
def complete(request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Complete:
    """What the shell offers for the last of a command line's words; "=" is given as a word, as bash has it."""
    shell = str(request.param)
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    assert main(["completion", shell]) == 0
    script = tmp_path / "script"
    script.write_text(capsys.readouterr().out)

    def offered(*words: str) -> set[str]:
        given = list(words)
        if shell == "zsh" and "=" in words:
            given = [*words[: words.index("=") - 1], "".join(words[words.index("=") - 1 :])]
        line = f"""
            {ZSH_SETS_UP.format(dump=tmp_path / "dump") if shell == "zsh" else ""}
            source {script}
            offer() {{
                {ZSH_COMPLETES_IN if shell == "zsh" else ""}
                COMP_WORDS=(quillflow {shlex.join(given)}); COMP_CWORD={len(given)}
                _quillflow
                printf '%s\\n' "${{COMPREPLY[@]}}"
            }}
            offer
        """
        done = subprocess.run([shell, "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        if shell == "bash":
            return set(done.stdout.split())
        # Where bash's compgen keeps what begins alike, zsh itself does.
        kept = {word for word in done.stdout.split() if word.startswith(given[-1])}
        return {word.partition("=")[2] for word in kept} if "=" in words else kept

    return offered


def test_commands_are_offered_and_the_actions_below_them(complete: Complete) -> None:
    assert complete("") == {*command_names(), "--help", "--version"}
    assert complete("comp") == {"complete", "compare", "compile", "completion"}
    assert {"ls", "show", "pull", "verify"} <= complete("artifacts", "")
    assert complete("completion", "") >= {"bash", "zsh"}


def test_a_commands_flags_are_offered(complete: Complete) -> None:
    assert complete("run", "--rec") == {"--recipe"}
    assert {"--epochs", "--no-carry-state", "--quiet"} <= complete("train", "--")
    assert "--recursive" not in complete("artifacts", "ls", "--")
    assert complete("artifacts", "ls", "--ro") == {"--root"}


def test_recipes_and_environments_are_offered(complete: Complete) -> None:
    assert complete("run", "--recipe", "") == set(recipe_names())
    assert complete("run", "--recipe", "=", "qu") == {"quick"}
    assert complete("recipes", "be") == {"best"}
    assert complete("run", "--environment", "") == set(environment_names())


def test_settings_are_offered_for_set_with_their_values(complete: Complete) -> None:
    everything = {f"{stage.name}.{name}=" for stage in STAGES.values() for name in stage.settings.model_fields}
    assert complete("run", "--set", "") == everything
    assert complete("run", "--set", "train.ep") == {"train.epochs="}
    assert complete("run", "--set", "train.input", "=") == {"one_hot", "scaled", "embedding"}
    assert complete("run", "--set", "train.input", "=", "s") == {"scaled"}
    assert complete("run", "--recipe", "quick", "--set", "ingest.lowercase", "=", "") == {"true", "false"}


def test_choices_of_a_flag_are_offered(complete: Complete) -> None:
    assert complete("train", "--optimizer", "ad") == {"adam", "adamw"}
    assert complete("inspect", "d", "--split", "") == {"train", "validation"}


def test_runs_below_the_root_are_offered(complete: Complete, tmp_path: Path) -> None:
    for name in ("text-generation-1", "text-generation-2", "logs"):
        (tmp_path / "runs" / name).mkdir(parents=True)
    assert complete("compare", "text") == {"text-generation-1", "text-generation-2"}
    assert complete("complete", "Once", "--model", "") == {"text-generation-1", "text-generation-2"}


def test_nothing_is_offered_where_a_file_may_be_named(complete: Complete) -> None:
    assert complete("run", "--source", "my-t") == set(), "so the shell offers file names"


def test_every_command_takes_the_common_flags() -> None:
    for path, command in completion._commands("quillflow", cli.parser([])):
        flags = completion._words(command).split()
        if command.get_default("run"):
            assert {"--json", "--quiet", "--verbose"} <= set(flags), path


def test_json_holds_the_same_script(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "bash"]) == 0
    printed = capsys.readouterr().out
    assert main(["completion", "bash", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["script"] == printed


def test_a_shell_that_is_not_known_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["completion", "csh"])
    assert raised.value.code == 2
    assert "'csh'" in capsys.readouterr().err
