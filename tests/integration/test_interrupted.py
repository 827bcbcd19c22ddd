"""A run that is stopped says how to resume its training, and it can be resumed."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.arguments import INTERRUPTIBLE, without


def _stopped(arguments: list[str], at: str, number: int, *, group: bool) -> tuple[int, str]:
    """The exit code and messages of a run that a signal reaches at a message: alone, or its stages too."""
    process = subprocess.Popen(
        [*INTERRUPTIBLE, sys.executable, "-m", "pipelines.commands.main", "run", *arguments],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    seen = ""
    for line in process.stderr:
        seen += line
        if re.search(at, line):
            (os.killpg if group else os.kill)(process.pid, number)
            break
    seen += process.stderr.read()
    return process.wait(timeout=60), seen


@pytest.mark.slow("two runs of the pipeline each")
@pytest.mark.parametrize(
    ("number", "group", "code"),
    [(signal.SIGTERM, False, 143), (signal.SIGINT, True, 130), (signal.SIGINT, False, 130)],
    ids=["SIGTERM", "Ctrl-C on a terminal", "SIGINT to the run alone"],
)
def test_a_stopped_run_is_resumed_where_it_was(
    number: int, group: bool, code: int, run: Callable[..., dict[str, Any]], tiny: list[str]
) -> None:
    long = [*without(tiny, "train.epochs"), "--set=train.epochs=100000", "--set=train.checkpoint_seconds=1"]
    ended, seen = _stopped(long, "^train +epoch 2:", number, group=group)
    assert ended == code, seen
    assert ("press Ctrl-C again" in seen) == group
    continues = re.search(
        r"resume training from train step ([\d,]+) with --set train\.init_from=(\S+)$", seen.splitlines()[-1]
    )
    saved = re.search(r"saved at train step ([\d,]+)", seen)
    assert continues is not None, seen
    assert saved is not None, seen
    assert continues[1] == saved[1]
    epochs = int(saved[1].replace(",", "")) // 49 + 1  # foxes.txt has 49 train steps an epoch
    made = run(*without(tiny, "train.epochs"), f"--set=train.epochs={epochs}", f"--set=train.init_from={continues[2]}")
    assert f"resumed at train step {saved[1]}" in made["stderr"]
    history = (Path(made["artifacts"]["model"]) / "history.jsonl").read_text().splitlines()
    assert [json.loads(row)["epoch"] for row in history] == list(range(1, epochs + 1))


@pytest.mark.slow("a run of the pipeline")
def test_a_run_interrupted_before_training_says_that_nothing_is_saved(tiny: list[str]) -> None:
    code, seen = _stopped(tiny, "^ingest ", signal.SIGINT, group=True)
    assert code == 130, seen
    assert seen.splitlines()[-1] == "error: interrupted; training had not started, so nothing is saved"
