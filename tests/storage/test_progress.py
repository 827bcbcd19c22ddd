"""Large files on their way to a bucket and back show their progress, and never more than their size."""

import re
from pathlib import Path

import pytest

from components.artifacts import pace
from components.artifacts.storage import Place, gcs
from tests.storage import servers

SIZE = 11_000_000


@pytest.fixture(params=["gs", "s3"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def reported(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(pace, "SECONDS_OF_A_PACE", 0)
    monkeypatch.setattr(pace, "progress", lines.append)
    monkeypatch.setattr(gcs, "CHUNK_BYTES", 4 << 20)
    return lines


@pytest.mark.parametrize("fault", ["", "503", "cut"])
def test_a_file_shows_how_far_it_is(
    at: Place, faults: servers.Faults, fault: str, tmp_path: Path, reported: list[str]
) -> None:
    place, path = at / "file", tmp_path / "file"
    path.write_bytes(bytes(SIZE))
    if fault == "503":
        faults.add(fault, "^(PUT|POST) ")
    place.store.upload(path, place.key)
    check(reported, place, least=2)
    if fault:
        faults.add(fault, "^GET ")
    place.store.download(place.key, tmp_path / "copy")
    check(reported, place, least=5)
    assert not faults.left()


def check(reported: list[str], place: Place, *, least: int) -> None:
    """Everything shown is about this file: it grows to all of it, and is forgotten."""
    lines = [line for line in reported if "transferred" in line]
    reported.clear()
    assert len(lines) >= least
    matches = [re.fullmatch(rf"{place}: ([\d.]+) (k?M?B)( of 11\.0 MB)? transferred", line) for line in lines]
    done = [float(match[1]) * {"B": 1e-6, "kB": 1e-3, "MB": 1}[match[2]] for match in matches if match]
    assert len(done) == len(lines)
    assert max(done) == done[-1] == 11.0
