"""What this machine is asked: Linux's kernel where it runs, and otherwise what every Unix has."""

import fcntl
import os
import re
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
"""Where Linux shows processes and memory; other systems have no such place."""


def cores() -> int:
    """The cores that this process may use; where no system tells, all that there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def free_memory() -> int:
    """Bytes that programs may still allocate, according to Linux; 0 on other systems."""
    with suppress(OSError):
        if found := re.search(r"MemAvailable:\s+(\d+) kB", (PROC / "meminfo").read_text(encoding="ascii")):
            return int(found[1]) * 1024
    return 0


def flush(descriptor: int) -> None:
    """Wait until an open file or directory is on the disk itself; macOS's fsync leaves it in the disk's cache."""
    wholly = getattr(fcntl, "F_FULLFSYNC", None)
    if wholly is not None:
        with suppress(OSError):  # a file system that knows no such request
            fcntl.fcntl(descriptor, wholly)
            return
    os.fsync(descriptor)


def processes_above() -> list[int]:
    """The processes above this one, the nearest first; but for Linux only its parent."""
    above = [os.getppid()]
    while above[-1] > 1:
        try:
            stat = (PROC / str(above[-1]) / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:  # it has just ended, or this is not Linux
            return above
        above.append(int(stat.rpartition(")")[2].split()[1]))  # the name is followed by state and parent
    return above


def processes_below(process: int) -> list[int]:
    """The processes that a process started, and theirs; each comes before the one that started it."""
    return list(_below(process, _children if (PROC / "self").exists() else _children_by_process().__getitem__))


def _below(process: int, children: Callable[[int], list[int]]) -> Iterator[int]:
    for child in children(process):
        yield from _below(child, children)
        yield child


def _children(process: int) -> list[int]:
    found: list[int] = []
    for task in (PROC / str(process) / "task").glob("*/children"):
        with suppress(OSError):  # it has just ended
            found += map(int, task.read_text().split())
    return found


def _children_by_process() -> Mapping[int, list[int]]:
    """Every process's children as POSIX's ps lists them, without ps itself."""
    found: dict[int, list[int]] = defaultdict(list)
    command = ["ps", "-A", "-o", "pid=", "-o", "ppid="]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as ps:  # noqa: S603 -- fixed
        listed, _ = ps.communicate()
    for process, parent in (map(int, line.split()) for line in listed.split("\n") if line):
        if process != ps.pid:
            found[parent].append(process)
    return found
