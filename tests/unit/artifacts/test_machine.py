"""What Linux's kernel answers is known elsewhere too, or its absence is; here Linux's own ways are taken away."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from components.artifacts import machine
from components.artifacts.storage import place_of

THREE = """
import os, subprocess, sys
deeper = int(sys.argv[1])
command = [sys.executable, "-c", sys.argv[2], str(deeper - 1), sys.argv[2]]
child = subprocess.Popen(command if deeper else ["cat"], stdin=subprocess.PIPE)
print(os.getpid(), child.pid, flush=True)
sys.stdin.read()
child.communicate()
"""

AWAY = "from pathlib import Path; from components.artifacts import machine; machine.PROC = Path('/nowhere'); "


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A system that is not Linux, as far as it is asked."""
    monkeypatch.setattr(machine, "PROC", tmp_path / "proc")
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)


@contextmanager
def family() -> Iterator[list[int]]:
    """Three processes, each the child of the one before, while the block lasts."""
    command = [sys.executable, "-c", THREE, "1", THREE]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        lines = sorted((first.stdout.readline() for _ in range(2)), key=lambda line: int(line.split()[0]) != first.pid)
        (_, second), (_, third) = (map(int, line.split()) for line in lines)
        yield [first.pid, second, third]
        first.communicate("")


@pytest.mark.parametrize("system", ["this one", "another"])
def test_all_that_a_process_has_started_is_found_the_last_first(request: pytest.FixtureRequest, system: str) -> None:
    if system == "another":
        request.getfixturevalue("elsewhere")
    with family() as (first, second, third):
        assert machine.processes_below(first) == [third, second]
        found = machine.processes_below(os.getpid())  # other tests may have left some of this process, older ones
        assert [each for each in found if each in {first, second, third}] == [third, second, first]
        assert machine.processes_below(third) == []


def test_looking_for_processes_finds_none_where_none_was_started() -> None:
    code = "import os; from components.artifacts.machine import processes_below; print(processes_below(os.getpid()))"
    said = subprocess.run([sys.executable, "-c", f"{AWAY}{code}"], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


@pytest.mark.usefixtures("elsewhere")
def test_elsewhere_the_parent_is_known() -> None:
    assert machine.processes_above() == [os.getppid()]


@pytest.mark.skipif(not machine.PROC.exists(), reason="not Linux")
def test_on_linux_all_processes_above_are_known() -> None:
    above = machine.processes_above()
    assert above[0] == os.getppid()
    assert above[-1] <= 1


@pytest.mark.usefixtures("elsewhere")
def test_elsewhere_all_cores_count_and_free_memory_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (machine.cores(), machine.free_memory()) == (os.cpu_count(), 0)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert machine.cores() == 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="not Linux")
def test_on_linux_only_the_cores_count_that_this_process_may_use() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert machine.cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert machine.free_memory() > 1_000_000


@pytest.mark.parametrize("supported", [True, False])
def test_what_macos_leaves_in_the_disk_s_cache_is_asked_out_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, supported: bool
) -> None:
    asked: list[str] = []

    def control(_: int, request: int) -> None:
        asked.append(f"fcntl {request}")
        if not supported:
            raise OSError(45, "Operation not supported")

    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", control)
    monkeypatch.setattr(os, "fsync", lambda _: asked.append("fsync"))
    place = place_of(str(tmp_path / "note"))
    place.store.write(place.key, b"kept")
    once = ["fcntl 51"] if supported else ["fcntl 51", "fsync"]
    assert asked == once * 2, "the file, then its directory"
