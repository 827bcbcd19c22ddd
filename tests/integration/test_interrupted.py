"""A run that is stopped says how its training goes on, and it does go on."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_a_stopped_run_is_taken_up_where_it_was(run: Callable[..., dict[str, Any]], tiny: list[str]) -> None:
    long = [*tiny, "--set=train.epochs=100000", "--set=train.checkpoint_seconds=1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", "run", *long],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert process.stderr is not None
    seen = ""
    for line in process.stderr:
        seen += line
        if re.search(r"^train +epoch 2:", line):
            process.send_signal(signal.SIGTERM)
            break
    seen += process.stderr.read()
    assert process.wait(timeout=60) == 143, seen
    place = re.search(r"--set train\.init_from=(\S+)", seen)
    saved = re.search(r"saved at train step ([\d,]+)", seen)
    assert place is not None, seen
    assert saved is not None, seen
    epochs = int(saved.group(1).replace(",", "")) // 49 + 1  # foxes.txt has 49 train steps an epoch
    made = run(*tiny, f"--set=train.epochs={epochs}", f"--set=train.init_from={place.group(1)}")
    assert f"resumed at train step {saved.group(1)}" in made["stderr"]
    history = (Path(made["artifacts"]["model"]) / "history.jsonl").read_text().splitlines()
    assert [json.loads(row)["epoch"] for row in history] == list(range(1, epochs + 1))
