"""What vectorize takes for characters: time, disk and memory, of the whole stage in a process of its own.

The time includes the stage's check of the corpus's SHA-256 and the digests of what it writes. The fastest of
several runs counts: what else runs on the machine takes part of the others. How fast is fast depends on the
machine, so the target is a share of the speed of plain work on the same bytes (`plain_work`), timed in turns with the
stage.
"""

import hashlib
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from components.artifacts.manifest import write_manifest
from tests.benchmarks.measure import Budget, Figure, seconds_of

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
RUNS = 3
TARGET = 33  # per cent; the stage also counts characters, checks, and writes files with checksums
# Not getrusage: its peak includes that of the process that was forked.
VECTORIZE = """
import re, sys, time
from pathlib import Path
from components.vectorize.config import VectorizeConfig
from components.vectorize.vectorizing import vectorize

corpus, dataset = sys.argv[1:]
began = time.perf_counter()
vectorize(VectorizeConfig(), corpus=corpus, dataset=dataset)
seconds = time.perf_counter() - began
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]
print(seconds, int(peak) * 1024 / 1e6)
"""


def figures(budget: Budget) -> Iterator[Figure]:
    """The stage's figures, on texts made up for it."""
    megabytes, many = (100, 200) if budget == "short" else (200, 1000)
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        write_corpus(place / "ascii", LETTERS, megabytes)
        text = place / "ascii" / "text.txt"
        turns = [
            (vectorized(text.parent, 1)[0], seconds_of(lambda: plain_work(text.read_bytes()))) for _ in range(RUNS)
        ]
        seconds, plain = (min(times) for times in zip(*turns, strict=True))
        yield Figure(
            what="vectorize, ASCII",
            measured=100 * plain / seconds,
            unit="% of plain work's speed",
            target=TARGET,
            conditions=f"{megabytes / seconds:.0f} Mchar/s; {megabytes} MB, one thread, the stage with all digests; "
            f"reading, SHA-256 twice, decoding and translating take {plain:.2f} s; the fastest of {RUNS}",
        )
        yield Figure(
            what="vectorize, on disk",
            measured=size(place / "ascii.dataset") / (megabytes * 1e6),
            unit="bytes/char",
            target=1.1,
            better="lower",
            conditions="all files, a vocabulary below 256",
        )
        write_corpus(place / "mixed", LETTERS + "äöüßéèñç", megabytes)
        seconds, _ = vectorized(place / "mixed", RUNS)
        yield Figure(
            what="vectorize, accents",
            measured=megabytes / seconds,
            unit="Mchar/s",
            conditions=f"{megabytes} million characters, one in nine not ASCII",
        )
        write_corpus(place / "large", LETTERS, many)
        _, peak = vectorized(place / "large", 1)
        yield Figure(
            what="vectorize, peak memory",
            measured=peak,
            unit="MB",
            target=500,
            better="lower",
            conditions=f"a corpus of {many} MB",
        )


def plain_work(text: bytes) -> None:
    """What no way of vectorizing can leave out: digests of what is read and written, characters, ids."""
    hashlib.sha256(text).digest()
    text.decode()
    hashlib.sha256(text.translate(bytes(range(256)))).digest()


def write_corpus(directory: Path, letters: str, megacharacters: int) -> None:
    """A corpus artifact of made-up words in lines; a million characters, again and again."""
    rng = random.Random(1)
    words = ["".join(rng.choices(letters, k=rng.randint(1, 9))) for _ in range(5000)]
    text = "".join(rng.choice(words) + (" " if rng.random() < 0.9 else "\n") for _ in range(200_000))
    assert len(text) > 1_000_000
    directory.mkdir()
    with (directory / "text.txt").open("w", encoding="utf-8", newline="") as file:
        for _ in range(megacharacters):
            file.write(text[:1_000_000])
    write_manifest(directory, kind="corpus", stage="ingest", config={"lowercase": False}, counts={}, made_from={})


def vectorized(corpus: Path, runs: int) -> tuple[float, float]:
    """Vectorizes a corpus into its `.dataset`, several times: the least seconds without Python's start, most MB."""
    command = [sys.executable, "-c", VECTORIZE, str(corpus), str(corpus.with_suffix(".dataset"))]
    done = [subprocess.run(command, check=True, capture_output=True, text=True).stdout.split() for _ in range(runs)]
    return min(float(seconds) for seconds, _ in done), max(float(peak) for _, peak in done)


def size(directory: Path) -> int:
    """The bytes of all files of an artifact."""
    return sum(path.stat().st_size for path in directory.iterdir())
