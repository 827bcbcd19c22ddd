"""Running images, and runs in them, as the tests do."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.arguments import INTERRUPTIBLE

RUN = (sys.executable, "-m", "pipelines.commands.main", "run", "--runner", "docker", "--json")
ANYBODY = 12345
"""A user that no image knows."""
NARROW = {
    "read_only": True,
    "tmpfs": {"/tmp": ""},
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
    "user": f"{ANYBODY}:0",
}
"""The rights of a container in a careful cluster."""


class Ended(NamedTuple):
    """A program's exit code and what it printed."""

    code: int
    out: str
    err: str


Run = Callable[..., Ended]


def run_image(engine: Any, name: str, command: Sequence[str], **options: Any) -> Ended:
    """Run an image with narrow rights, and with no network but what is given."""
    if "network" not in options:
        options["network_mode"] = "none"
    container = engine.containers.create(name, list(command), **{**NARROW, **options})
    try:
        container.start()
        code = container.wait()["StatusCode"]
        return Ended(code, container.logs(stderr=False).decode(), container.logs(stdout=False).decode())
    finally:
        container.remove(force=True)


class Caller:
    """A user who runs `quillflow`: anybody where the tests are root's, else the tests' own user."""

    def __init__(self, home: Path) -> None:
        self.home, self.runs = home, home / "runs"
        self.user = os.getuid() or ANYBODY
        self._as_user: list[str] = []
        if self.user != os.getuid():
            shutil.chown(home, self.user, self.user)
            socket = Path(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://"))
            # The interpreter may be in root's home: reading is allowed, and nothing else is.
            self._as_user = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}"]
            self._as_user += [f"--groups={socket.stat().st_gid}"]
            self._as_user += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]

    def start(self, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*INTERRUPTIBLE, *self._as_user, *RUN, *arguments],
            env={**os.environ, "HOME": str(self.home), "TMPDIR": str(self.home), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str, **environment: str) -> Ended:
        """`quillflow run --runner docker --json`."""
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=600)
        return Ended(process.returncode, out, err)
