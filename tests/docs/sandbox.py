"""A directory where documented commands run unchanged, in seconds and without touching anything else."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

from tests.docs.pages import ROOT

SMALL = {
    "run": "--set vectorize.length=32 --set train.units=16 --set train.batch=8 --set sample.length=40",
    "train": "--units 16 --batch 8",
    "sweep": "--set vectorize.length=32 --set train.batch=8 --set sample.length=40",
}
"""What these commands are given on top, so that training takes seconds; the last setting counts."""
SHORT = {
    "run": "--set train.train_steps=20",
    "train": "--train-steps 20",
    "sweep": "--set train.train_steps=20",
}
OF_OTHERS = ("docker", "gcloud", "kubectl", "make", ".venv/bin/tensorboard")
"""Programs that are not tried: they need a cluster, a project or an engine, never end, or are tests of their own."""
_TALE = "Once upon a time there was a mill, and the mill ground on by day and by night. The function returns. "


class Sandbox:
    """Runs commands in a directory that has what the pages speak of."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._environment = {**os.environ, "PATH": f"{self._bin()}{os.pathsep}{os.environ['PATH']}"}
        for name in ("my-text.txt", "another-text.txt", "nietzsche.txt", "shanties.txt"):
            (directory / name).write_text(_TALE * 200)
        (directory / "thrones.txt").write_text(_TALE * 3)  # read for many epochs
        rows = "".join(f'{user},"{_TALE}"\n' for user in ("ada", "bob") * 150)
        (directory / "chat.csv").write_text(f"name,text\n{rows}")
        (directory / "gke.yaml").write_text((ROOT / "pipelines" / "environments" / "gke.yaml").read_text())
        for name in ("pipelines", "deploy"):
            (directory / name).symlink_to(ROOT / name)

    def _bin(self) -> Path:
        folder = self.directory / "bin"
        folder.mkdir()
        script = folder / "quillflow"
        script.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m pipelines.commands.main "$@"\n')
        script.chmod(0o755)
        return folder

    def run(self, command: str) -> subprocess.CompletedProcess[str] | None:
        """The ended command; None where it is not one to run here."""
        if command.split(maxsplit=1)[0] in OF_OTHERS or "--runner docker" in command or "activate" in command:
            return None
        if command.startswith("export "):
            return self._export(command)
        return subprocess.run(
            ["bash", "-ec", _small(command)],
            cwd=self.directory,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def _export(self, command: str) -> None:
        name, _, value = command.removeprefix("export ").partition("=")
        if "$(" not in value:  # what another program says
            self._environment[name] = value


def _small(command: str) -> str:
    """A command with less to do."""
    program, *words = command.split()
    if program != "quillflow" or words[0] not in SMALL:
        return command
    whole, _, output = command.partition(" > ")
    short = SHORT[words[0]] if "epochs" not in command else ""
    return " ".join(filter(None, (whole, SMALL[words[0]], short, output and f"> {shlex.quote(output)}")))
