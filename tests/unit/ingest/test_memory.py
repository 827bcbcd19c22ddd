"""Ingest's memory does not grow with its source."""

import itertools
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak from Linux's /proc")

LIMIT_MB = 600
GROWTH_MB = 60
# Not getrusage: its peak includes that of the process that was forked.
INGEST = """
import re, sys
from pathlib import Path
from components.ingest.config import IngestConfig
from components.ingest.ingesting import ingest

source, corpus, user_column = sys.argv[1:]
config = IngestConfig(user_column=user_column, lowercase=True)
counts = ingest(config, source=source, corpus=corpus)["counts"]
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]
print(int(peak) // 1024, counts["characters"])
"""


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Path]:
    """A folder that goes after the test: pytest keeps tmp_path of several runs, and these are large."""
    yield tmp_path
    shutil.rmtree(tmp_path)


def write_chat(path: Path, megabytes: int) -> Path:
    words = itertools.cycle(["Grüße", "an", "alle", "die", "dies", "lesen", '""bald""', "\n"])
    with path.open("w", encoding="utf-8") as file:
        file.write("user,text\n")
        for number in itertools.count():
            if number % 1000 == 0 and file.tell() >= megabytes << 20:
                return path
            file.write(f'user{number % 97},"{number} {" ".join(itertools.islice(words, 180))}"\n')
    raise AssertionError


def write_json(path: Path, megabytes: int) -> Path:
    record = '{"user": "amy", "text": "' + "Grüße an alle " * 5000 + '"}'
    with path.open("w", encoding="utf-8") as file:
        file.write("[" + record)
        for _ in range(megabytes * 12):
            file.write(",\n" + record)
        file.write("]")
    return path


def write_line(path: Path, megabytes: int) -> Path:
    with path.open("w") as file:
        for _ in range(megabytes):
            file.write("abcdefgh" * (1 << 17))
    return path


def peak_and_characters(source: Path, user_column: str = "") -> tuple[int, int]:
    command = [sys.executable, "-c", INGEST, str(source), str(source.with_suffix(".corpus")), user_column]
    peak, characters = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return int(peak), int(characters)


@pytest.mark.slow("reads hundreds of megabytes")
def test_memory_does_not_grow_with_the_messages(scratch: Path) -> None:
    small, small_characters = peak_and_characters(write_chat(scratch / "small.csv", 40), "user")
    large, large_characters = peak_and_characters(write_chat(scratch / "large.csv", 200), "user")
    assert large_characters > 180_000_000 > 4.5 * small_characters
    assert large < LIMIT_MB
    assert large - small < GROWTH_MB


@pytest.mark.slow("reads many megabytes")
def test_memory_does_not_grow_with_a_list_in_json(scratch: Path) -> None:
    small, _ = peak_and_characters(write_json(scratch / "small.json", 20), "user")
    large, characters = peak_and_characters(write_json(scratch / "large.json", 100), "user")
    assert characters > 80_000_000
    assert large < LIMIT_MB
    assert large - small < GROWTH_MB


@pytest.mark.slow("reads many megabytes")
def test_memory_does_not_grow_with_a_line(scratch: Path) -> None:
    small, _ = peak_and_characters(write_line(scratch / "small.txt", 10))
    large, characters = peak_and_characters(write_line(scratch / "large.txt", 100))
    assert characters == 100 << 20
    assert large < LIMIT_MB
    assert large - small < GROWTH_MB
