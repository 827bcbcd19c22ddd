"""Stages other than train, stopped: they say so, exit as promised and leave nothing; and a run killed in ingest."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from components.artifacts.machine import processes_below
from components.artifacts.manifest import write_manifest
from components.generator.architecture import Architecture
from tests.arguments import INTERRUPTIBLE
from tests.unit.generator.test_weights import write

TINY = Architecture(
    vocabulary=7, layers=1, units=5, input="one_hot", embedding_size=3, objective="sequence", dropout=0.0,
    dropout_placement="after_each",
)  # fmt: skip
ENDS = [(signal.SIGTERM, 143, "error: stopped by SIGTERM"), (signal.SIGINT, 130, "error: interrupted")]


@pytest.fixture
def stalling() -> Iterator[str]:
    """The URI of a text of which a part comes, and no more."""

    def answer() -> None:
        while not ended.is_set():
            connection, _ = listening.accept()
            kept.append(connection)
            asked = connection.recv(1 << 16)
            if asked.startswith(b"GET"):
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\nSome text. ")
                started.set()
            elif asked:
                connection.sendall(b'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: 999999\r\n\r\n')
                connection.close()

    kept: list[socket.socket] = []
    started, ended = threading.Event(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        STARTED[port] = started
        yield f"http://127.0.0.1:{port}/text"
        ended.set()
        socket.create_connection(("127.0.0.1", port)).close()
        thread.join(10)
        for connection in kept:
            connection.close()


STARTED: dict[int, threading.Event] = {}
"""By a server's port, set when the first part of its text was sent."""


def started(place: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*INTERRUPTIBLE, sys.executable, "-m", "pipelines.commands.main", *arguments],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(Path.cwd()), "TMPDIR": str(place / "tmp")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def left(place: Path) -> list[Path]:
    return [path for path in place.rglob("*") if path.is_file() and "logs" not in path.parts]


@pytest.mark.parametrize(("number", "code", "said"), ENDS)
def test_ingest_that_is_stopped_says_so_and_leaves_nothing(
    tmp_path: Path, stalling: str, number: int, code: int, said: str
) -> None:
    (tmp_path / "tmp").mkdir()
    process = started(tmp_path, "ingest", "--source", stalling, "--corpus", "out/corpus", "--allow-private-hosts")
    assert STARTED[int(stalling.split(":")[2].split("/", maxsplit=1)[0])].wait(60)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err.strip().split("\n")[-1].split(maxsplit=1)[1]) == (code, said)
    assert left(tmp_path) == []


@pytest.mark.slow("two runs of the pipeline")
def test_a_run_killed_inside_ingest_continues_as_if_it_had_not_been(tmp_path: Path, stalling: str) -> None:
    (tmp_path / "tmp").mkdir()
    flags = ["--root", "runs", "--set=ingest.allow_private_hosts=true", "--set=vectorize.length=100000"]
    process = started(tmp_path, "run", "--source", stalling, *flags)
    assert STARTED[int(stalling.split(":")[2].split("/", maxsplit=1)[0])].wait(60)
    process.kill()
    process.communicate(timeout=60)
    assert not list(tmp_path.rglob("manifest.json"))
    (tmp_path / "tale.txt").write_text("Some text. " * 100)
    again = started(tmp_path, "run", "--source", "tale.txt", *flags)
    _, err = again.communicate(timeout=120)
    assert again.returncode == 1
    assert "1,100 characters" in err
    assert "to train on, but one window" in err, "ingest did not end well"


@pytest.mark.slow("a run of the pipeline")
def test_a_run_whose_stage_is_killed_by_the_kernel_says_that_memory_may_have_run_out(
    tmp_path: Path, stalling: str
) -> None:
    (tmp_path / "tmp").mkdir()
    process = started(tmp_path, "run", "--source", stalling, "--root=runs", "--set=ingest.allow_private_hosts=true")
    assert STARTED[int(stalling.split(":")[2].split("/", maxsplit=1)[0])].wait(60)
    os.kill(processes_below(process.pid)[0], signal.SIGKILL)  # the innermost, not the shell around it
    _, err = process.communicate(timeout=60)
    said = "error: ingest: killed by SIGKILL, probably because this machine ran out of memory; close other programs, or"
    assert err.splitlines()[-1].startswith(said)
    assert process.returncode == 137


@pytest.mark.slow("sample waits for TensorFlow")
@pytest.mark.parametrize(("number", "code", "said"), ENDS)
def test_sample_that_is_stopped_says_so_and_leaves_nothing(tmp_path: Path, number: int, code: int, said: str) -> None:
    (tmp_path / "tmp").mkdir()
    model = write(tmp_path / "model", replace(TINY))
    (model / "prompts.json").write_text('["abcd"]')
    write_manifest(model, kind="model", stage="train", config={}, counts={}, made_from={})
    before = set(left(tmp_path))
    process = started(tmp_path, "sample", "--model", "model", "--samples", "out/samples", "--count", "200000")
    deadline = time.monotonic() + 90
    while set(left(tmp_path)) == before and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err.strip().split("\n")[-1].split(maxsplit=1)[1]) == (code, said)
    assert set(left(tmp_path)) == before
