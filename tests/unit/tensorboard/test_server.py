"""TensorBoard itself reads what train writes and the mirror fetched."""

import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from components.tensorboard.mirroring import claim, refresh
from tests.unit.tensorboard.showing import SECONDS, check_losses, make_model, shows, until

# As in the image there is no TensorFlow, whose import takes long.
SERVER = "import sys; sys.modules['tensorflow'] = None; from tensorboard.main import run_main; sys.exit(run_main())"


@contextmanager
def server(logs: Path) -> Iterator[str]:
    """The URL of a TensorBoard over `logs`."""
    command = [sys.executable, "-c", SERVER, "--logdir", str(logs), "--host", "127.0.0.1", "--port", "0"]
    process = subprocess.Popen([*command, "--reload_interval", "1"], stderr=subprocess.PIPE, text=True)
    deadline = threading.Timer(SECONDS, process.kill)
    deadline.start()
    assert process.stderr
    try:
        starts = (re.search(r"TensorBoard \S+ at (\S+)/", line) for line in process.stderr)
        url = next((found[1] for found in starts if found), "")
        assert url, "TensorBoard ended before it served"
        yield url
        process.terminate()
        assert process.wait(timeout=30) == 0
    finally:
        deadline.cancel()
        process.kill()
        process.wait()
        process.stderr.close()


def test_tensorboard_shows_the_losses_of_each_run_until_the_run_is_gone(tmp_path: Path) -> None:
    root, mirror = tmp_path / "runs", tmp_path / "mirror"
    for run in ("first", "second"):
        make_model(str(root / run / "train" / "model"))
    claim(mirror)
    refresh([str(root)], mirror, 1_000_000)
    first, second = sorted((path.name for path in mirror.glob("*_*")), key=lambda name: name.partition("_")[2])

    with server(mirror) as url:
        until(lambda: shows(url, first, second))
        check_losses(url, first)
        shutil.rmtree(root / "first")
        refresh([str(root)], mirror, 1_000_000)
        until(lambda: shows(url, second))
