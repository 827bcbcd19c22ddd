"""What is next to the manifests in deploy/: the README's commands, the schedules, what a person fills in."""

import re
import shlex
import subprocess

import pytest

from components.artifacts.errors import QuillflowError
from pipelines.cluster import schedule_files
from pipelines.commands import main as cli
from tests.deploy.manifests import DEPLOY, ROOT, of_kind, render

README = DEPLOY / "README.md"
COMMANDS = re.findall(r"^\$ (.+)$", README.read_text(), re.MULTILINE)
SCHEDULES = sorted((DEPLOY / "schedules").glob("*.yaml"))


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("quillflow ")])
def test_a_command_of_the_readme_parses(command: str) -> None:
    arguments = shlex.split(command)[1:]
    try:
        cli.parser(arguments).parse_args(arguments)
    except (SystemExit, QuillflowError) as error:
        pytest.fail(f"{command}: {error}")


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("kubectl apply -k ")])
def test_what_the_readme_applies_is_there(command: str) -> None:
    words = shlex.split(command)
    objects = render(str((ROOT / words[3]).relative_to(DEPLOY)))
    if "-l" in words:
        key, value = words[words.index("-l") + 1].split("=")
        assert [found["metadata"]["name"] for found in objects if found["metadata"]["labels"][key] == value] == [value]
        assert value in of_kind(objects, "Job")


def test_files_that_the_readme_names_are_there() -> None:
    text = README.read_text()
    for name in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
        assert (DEPLOY / name).exists(), name
    for name in re.findall(r"(?<=[ =])(?:deploy|pipelines)/[\w./-]+", "\n".join(COMMANDS)):
        there = (
            (ROOT / name).exists() or name.endswith("/credentials.env") or name.startswith("pipelines/environments/")
        )
        assert there, name


def test_the_template_for_keys_holds_none_and_the_copy_stays_out_of_git() -> None:
    template = DEPLOY / "overlays/on-prem/credentials.env.template"
    assert template.read_text() == "accesskey=\nsecretkey=\n"
    copy = str(template.with_suffix("").relative_to(ROOT))
    assert subprocess.run(["git", "check-ignore", "--quiet", copy], cwd=ROOT, check=False).returncode == 0


def test_the_schedules_are_such_as_quillflow_takes() -> None:
    assert [schedule.name for schedule in schedule_files.read(DEPLOY / "schedules")] == [
        path.stem for path in SCHEDULES
    ]
