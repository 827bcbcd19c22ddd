"""Work that grows with the text shows its progress, however slowly the text arrives."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from components.artifacts import pace
from components.artifacts.manifest import verify, write_manifest
from components.command import log
from components.ingest.config import IngestConfig
from components.ingest.ingesting import ingest
from components.judging.copying import TrainingText
from components.judging.ngrams import NGrams
from components.vectorize.config import VectorizeConfig
from components.vectorize.vectorizing import vectorize

TEXT = "the mill ground on and on.\n" * 100


def _ingest(place: Path) -> None:
    (place / "a.txt").write_text(TEXT)
    ingest(IngestConfig(), source=str(place / "a.txt"), corpus=str(place / "made"))


def _vectorize(place: Path) -> None:
    corpus = place / "corpus"
    corpus.mkdir()
    (corpus / "text.txt").write_text(TEXT)
    write_manifest(corpus, kind="corpus", stage="ingest", config={"lowercase": False}, counts={}, made_from={})
    vectorize(VectorizeConfig(length=8), corpus=str(corpus), dataset=str(place / "dataset"))


def _look_for_copies(_: Path) -> None:
    TrainingText(TEXT).copied(["the mill ground on and off the ground"])


def _count_runs(_: Path) -> None:
    NGrams(np.zeros(99, np.uint8), vocabulary=3, order=1)


def _check(place: Path) -> None:
    (place / "text.txt").write_text(TEXT)
    write_manifest(place, kind="corpus", stage="ingest", config={}, counts={}, made_from={})
    verify(place)


@pytest.mark.parametrize(
    ("work", "reported"),
    [
        (_ingest, "2.7 kB read"),
        (_vectorize, "2.7 kB of 2.7 kB read"),
        (_look_for_copies, "copies of 4 characters: 0/2,700 of the training text read"),
        (_count_runs, "runs of 1 tokens: 0/99 counted"),
        (_check, "text.txt: 2.7 kB of 2.7 kB checked"),
    ],
)
def test_work_that_grows_with_the_text_shows_how_far_it_is(
    work: Callable[[Path], None],
    reported: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(pace, "SECONDS_OF_A_PACE", 0)
    monkeypatch.setattr(log, "SECONDS_BETWEEN_PLAIN_LINES", 0)
    log.set_up("stage")
    work(tmp_path)
    assert re.search(rf"^stage      (/.*/)?{re.escape(reported)}$", capsys.readouterr().err, re.MULTILINE)


def test_a_pace_is_a_second_however_small_the_pieces_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seconds = iter([0.0, 0.5, 0.9, 1.0, 1.5, 2.1])
    monkeypatch.setattr("time.monotonic", lambda: next(seconds))
    monkeypatch.setattr(pace, "progress", print)
    one = log.Pace()
    for piece in range(5):
        one.progress(f"piece {piece}")
    assert capsys.readouterr().out == "piece 2\npiece 4\n"
