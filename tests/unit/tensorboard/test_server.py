"""TensorBoard itself reads what train writes and the mirror fetched."""

import json
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from components.artifacts.manifest import write_manifest
from components.tensorboard.mirroring import claim, refresh
from components.train.tensorboard import write_events

# As in the image there is no TensorFlow, whose import takes long.
SERVER = "import sys; sys.modules['tensorflow'] = None; from tensorboard.main import run_main; sys.exit(run_main())"
SECONDS = 120
HISTORY = [
    {
        "train_step": 10 * epoch,
        "seconds": 1.5 * epoch,
        "validation_loss_nats": 3 / epoch,
        "curve": [
            {
                "train_step": 10 * epoch - back,
                "seconds": 1.5 * epoch,
                "train_loss_nats": 2 / epoch,
                "learning_rate": 0.25,
                "tokens_per_second": 1000.0,
            }
            for back in (5, 0)
        ],
    }
    for epoch in (1, 2)
]


@contextmanager
def server(logs: Path) -> Iterator[Callable[..., Any]]:
    """TensorBoard over `logs`, as a function that asks its API."""
    command = [sys.executable, "-c", SERVER, "--logdir", str(logs), "--host", "127.0.0.1", "--port", "0"]
    process = subprocess.Popen([*command, "--reload_interval", "1"], stderr=subprocess.PIPE, text=True)
    deadline = threading.Timer(SECONDS, process.kill)
    deadline.start()
    assert process.stderr
    try:
        starts = (re.search(r"TensorBoard \S+ at (\S+)/", line) for line in process.stderr)
        url = next((found[1] for found in starts if found), "")
        assert url, "TensorBoard ended before it served"

        def ask(path: str, **query: str) -> Any:
            with urlopen(f"{url}/data/{path}?{urlencode(query)}", timeout=30) as answer:
                return json.load(answer)

        yield ask
        process.terminate()
        assert process.wait(timeout=30) == 0
    finally:
        deadline.cancel()
        process.kill()
        process.wait()
        process.stderr.close()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def make_model(directory: Path) -> None:
    write_events(directory / "tensorboard", HISTORY, 1.0)
    write_manifest(directory, kind="model", stage="train", config={}, counts={}, made_from={})


def logs_of(*models: str) -> list[str]:
    return sorted(f"{model}/{log}" for model in models for log in ("training", "held_out"))


def test_tensorboard_shows_the_losses_of_each_run_until_the_run_is_gone(tmp_path: Path) -> None:
    root, mirror = tmp_path / "runs", tmp_path / "mirror"
    for run in ("first", "second"):
        make_model(root / run / "train" / "model")
    claim(mirror)
    refresh([str(root)], mirror, 1_000_000)
    first, second = sorted((path.name for path in mirror.glob("*_*")), key=lambda name: name.partition("_")[2])

    with server(mirror) as ask:
        until(lambda: sorted(ask("runs")) == logs_of(first, second))
        held_out = {"run": f"{first}/held_out", "tag": "loss/nats_per_token"}
        until(lambda: held_out["tag"] in ask("plugin/scalars/tags").get(held_out["run"], {}))
        assert ask("plugin/scalars/scalars", **held_out) == [[1.5, 10, 3.0], [3.0, 20, 1.5]]
        rates = ask("plugin/scalars/scalars", run=f"{first}/training", tag="learning_rate")
        assert [(step, value) for _, step, value in rates] == [(5, 0.25), (10, 0.25), (15, 0.25), (20, 0.25)]

        shutil.rmtree(root / "first")
        refresh([str(root)], mirror, 1_000_000)
        until(lambda: sorted(ask("runs")) == logs_of(second))
