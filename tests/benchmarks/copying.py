"""What it takes to look for samples' copies in a large training text, and to hold its passages for `no_copy`.

Each in a process of its own, so that its peak memory is its own. It is one thread's work, so the time is the
processor's, which other work on the machine changes little. The text is made up: words by Zipf's law, as many different
ones as a large text has.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.benchmarks.measure import Budget, Figure

WORDS, ZIPF = 200_000, 1.0
HUMAN_CHARACTERS = 1_000_000
TEXTS, TEXT_CHARACTERS = 1_000, 500
COPIES, COPY_CHARACTERS = 10, 120
NO_COPY = 40
MINUTES, GIGABYTES = 3, 4
# Not getrusage: its peak includes that of the process that was forked.
PEAK = """
import re
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]
print(json.dumps([seconds, int(peak) * 1024 / 1e9, found]))
"""
LOOK = """
import json, sys, time
from pathlib import Path
from components.artifacts.vocabulary import Vocabulary
from components.artifacts.dataset import text_of
from components.judging.writing import judge_samples

place = Path(sys.argv[1])
text = (place / "text.txt").read_bytes().decode()
vocabulary = Vocabulary(kind="characters", tokens=tuple(sorted(set(text))))
ids = vocabulary.encode(text).astype(vocabulary.id_dtype)
del text
rows, human = json.loads((place / "rows.json").read_text()), (place / "human.txt").read_text()
began = time.process_time()
judged = judge_samples(rows, text_of(ids, vocabulary), human)
seconds, found = time.process_time() - began, judged["longest"]["characters"]
"""
HOLD = """
import json, sys, time
from pathlib import Path
from components.artifacts.vocabulary import code_points
from components.generator.passages import Passages

place = Path(sys.argv[1])
began = time.process_time()
text = (place / "text.txt").read_bytes().decode()
passages = Passages([code_points(text)], int(sys.argv[2]) + 1)
seconds = time.process_time() - began
rows = [row["text"] for row in json.loads((place / "rows.json").read_text())]
found = sum(int(passages.found_in(code_points(row)).any()) for row in rows)
"""


def figures(budget: Budget) -> Iterator[Figure]:
    """Time and peak memory of both, with a check that they found what was planted."""
    megabytes = 20 if budget == "short" else 100
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        _write_texts(place, megabytes)
        conditions = f"{TEXTS:,} texts of {TEXT_CHARACTERS} characters at two temperatures, in {megabytes} MB"
        yield from _two("looking for copies", conditions, *_measured(LOOK, place, COPY_CHARACTERS))
        conditions = f"runs of {NO_COPY + 1} characters of {megabytes} MB"
        yield from _two("the passages of no_copy", conditions, *_measured(HOLD, place, COPIES))


def _two(what: str, conditions: str, seconds: float, gigabytes: float) -> Iterator[Figure]:
    yield Figure(what=what, measured=seconds, unit="CPU s", target=60 * MINUTES, better="lower", conditions=conditions)
    yield Figure(what=f"{what}, peak memory", measured=gigabytes, unit="GB", target=GIGABYTES, better="lower")


def _write_texts(place: Path, megabytes: int) -> None:
    """The training text, held-out text, and samples of which some hold a passage of the training text."""
    rng = np.random.default_rng(1)
    text = _prose(rng, megabytes * 1_000_000)
    (place / "text.txt").write_text(text, encoding="utf-8", newline="")
    (place / "human.txt").write_text(_prose(rng, HUMAN_CHARACTERS), encoding="utf-8", newline="")
    written = _prose(rng, TEXTS * TEXT_CHARACTERS)
    texts = [written[begin : begin + TEXT_CHARACTERS] for begin in range(0, len(written), TEXT_CHARACTERS)]
    for number in range(COPIES):
        begin = int(rng.integers(len(text) - COPY_CHARACTERS))
        texts[number] = texts[number][:-COPY_CHARACTERS] + text[begin : begin + COPY_CHARACTERS]
    rows = [
        {"id": number, "text": text, "temperature": (0.5, 0.8)[number % 2], "strategy": "temperature"}
        for number, text in enumerate(texts)
    ]
    (place / "rows.json").write_text(json.dumps(rows))


def _prose(rng: np.random.Generator, characters: int) -> str:
    """Words of letters as frequent as the n-th word of a language is, the n-th made from n, so all texts share them."""
    letters = "etaoinshrdlu"
    words = [_word(number, letters) for number in range(1, WORDS + 1)]
    weights = np.arange(1, WORDS + 1) ** -ZIPF
    chosen = rng.choice(WORDS, characters // 3, p=weights / weights.sum())
    return " ".join(map(words.__getitem__, chosen.tolist()))[:characters]


def _word(number: int, letters: str) -> str:
    word = ""
    while number:
        number, letter = divmod(number, len(letters))
        word += letters[letter]
    return word


def _measured(script: str, place: Path, expected: int) -> tuple[float, float]:
    """Seconds and peak gigabytes of the script in a process of its own, which has to find so much."""
    command = [sys.executable, "-c", script + PEAK, str(place), str(NO_COPY)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, gigabytes, found = json.loads(done.stdout)
    if found < expected:
        raise SystemExit(f"found {found}, where {expected} was planted")
    return seconds, gigabytes
