"""Whole runs of the pipeline as processes, as patient as in earnest, with their root in a store."""

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.artifacts import storage
from components.artifacts.manifest import parse_manifest

TINY = [
    "vectorize.length=16",
    "train.units=16",
    "train.batch=8",
    "train.train_steps=60",
    "train.checkpoint_steps=20",
    "sample.length=20",
    "sample.count=4",
]
MAXIMUM_SECONDS = 500


@dataclass(frozen=True, kw_only=True)
class Done:
    """What came of a command: its result, its lines on standard error, and when each was printed."""

    result: dict[str, Any]
    lines: list[tuple[float, str]]

    def printed(self, pattern: str, *, after: float = 0.0) -> list[float]:
        """When lines with a pattern were printed."""
        return [at for at, line in self.lines if at >= after and re.search(pattern, line)]


def command(*arguments: str, wrapped_in: tuple[str, ...] = ()) -> Done:
    """Run a command, which has to end well and to print JSON."""
    process = subprocess.Popen(
        [*wrapped_in, sys.executable, "-m", "pipelines.commands.main", *arguments, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines: list[tuple[float, str]] = []
    assert process.stderr is not None
    reading = threading.Thread(target=lambda: lines.extend((time.monotonic(), line) for line in process.stderr or ()))
    reading.start()
    try:
        assert process.stdout is not None
        out = process.stdout.read()
        code = process.wait(MAXIMUM_SECONDS)
        reading.join()
    finally:
        process.kill()
    assert code == 0, "".join(line for _, line in lines)
    return Done(result=json.loads(out), lines=lines)


def run(root: str, source: Path, *, wrapped_in: tuple[str, ...] = ()) -> Done:
    """Run the pipeline small."""
    settings = [f"--set={value}" for value in TINY]
    return command("run", "--root", root, "--source", str(source), *settings, wrapped_in=wrapped_in)


def outcome(done: Done) -> tuple[str, list[bytes]]:
    """A run's weights, by their SHA-256, and the texts that it wrote."""
    artifacts = done.result["artifacts"]
    weights = json.loads(_read(f"{artifacts['model']}/config.json"))["weights_sha256"]
    manifest = parse_manifest(_read(f"{artifacts['samples']}/manifest.json"), "samples")
    texts = [name for name in sorted(manifest.files) if name.endswith(".jsonl")]
    assert texts
    return weights, [_read(f"{artifacts['samples']}/{name}") for name in texts]


def verify(done: Done, root: str) -> None:
    """Check every file of what a run has made."""
    command("artifacts", "verify", done.result["run"], "--root", root)


def when(happens: Callable[[], int], do: Callable[[], None]) -> threading.Thread:
    """A thread, started, that does something once something happens."""

    def wait() -> None:
        deadline = time.monotonic() + MAXIMUM_SECONDS
        while not happens() and time.monotonic() < deadline:
            time.sleep(0.005)
        do()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def _read(uri: str) -> bytes:
    found = storage.read_file(uri)
    assert found is not None, uri
    return found[0]
