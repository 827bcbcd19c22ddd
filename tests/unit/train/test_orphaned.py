"""A process that watches those above it is signalled when one of them is gone, with or without a shell between."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

TRAINER = """
import signal, sys, time
from pathlib import Path
from components.train.orphaned import stop_when_orphaned

def stop(*_):
    Path(sys.argv[1]).write_text("saved")
    raise SystemExit(143)

signal.signal(signal.SIGTERM, stop)
stop_when_orphaned()
Path(sys.argv[1]).write_text("training")
time.sleep(60)
"""
ELSEWHERE = "from pathlib import Path; from components.artifacts import machine; machine.PROC = Path('/nowhere')"
LAUNCHER = """
import subprocess, sys
code, place, shell = sys.argv[1:]
command = [sys.executable, "-c", code, place]
if shell == "a shell":
    command = ["sh", "-ec", '"$@"; true', "sh", *command]
subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
"""


@pytest.mark.parametrize("between", ["a shell", "nothing", "nothing, and no /proc"])
def test_it_is_signalled_when_the_launcher_dies(tmp_path: Path, between: str) -> None:
    place = tmp_path / "state"
    code = f"{ELSEWHERE if 'no /proc' in between else ''}{TRAINER}"
    with subprocess.Popen([sys.executable, "-c", LAUNCHER, code, str(place), between]) as launcher:
        assert until(place, "training")
        launcher.send_signal(signal.SIGTERM)  # it heeds none, as Kubeflow's
    assert until(place, "saved")


def until(place: Path, state: str) -> bool:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if place.exists() and place.read_text() == state:
            return True
        time.sleep(0.02)
    return False
