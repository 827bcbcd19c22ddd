"""A disk that is full or read-only costs nothing that was there, and is one line."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from components.artifacts.storage import (
    Place,
)

LIMITED = """
import json, os, resource, signal, sys
from pathlib import Path
from components.artifacts.storage import StorageError, place_of
what, uri, path, limit, user = sys.argv[1:]
place = place_of(uri)
if int(limit):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
if int(user):
    os.setuid(int(user))
try:
    if what == "write":
        place.store.write(place.key, b"n" * 300_000)
    elif what == "write if":
        place.store.write(place.key, b"n" * 300_000, expected=place.store.read(place.key)[1])
    elif what == "upload":
        place.store.upload(Path(path), place.key)
    elif what == "download":
        place.store.download(place.key, Path(path))
except StorageError as error:
    print(json.dumps(str(error)))
"""


def failing(what: str, uri: str, path: Path, *, limit: int = 0, user: int = 0) -> str:
    """The error of one use of a store in a process of its own, which may write less than this one."""
    command = [sys.executable, "-c", LIMITED, what, uri, str(path), str(limit), str(user)]
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "PYTHONPATH": root}
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout, "it did not fail"
    line: str = json.loads(done.stdout)
    assert "\n" not in line
    return line


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that every user can reach."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.parametrize("what", ["write", "write if", "upload"])
def test_a_full_disk_leaves_the_older_object_as_it_was(what: str, open_directory: Path) -> None:
    target, source = open_directory / "store" / "object", open_directory / "source"
    target.parent.mkdir()
    target.write_bytes(b"older")
    source.write_bytes(b"n" * 300_000)
    line = failing(what, str(target), source, limit=100_000)
    assert line.startswith(str(target.parent))
    assert "File too large; check the disk or choose another place" in line
    assert target.read_bytes() == b"older"
    assert not list(target.parent.glob("*.partial"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
@pytest.mark.parametrize("what", ["write", "write if", "upload"])
def test_a_disk_without_space_leaves_the_older_object_as_it_was(what: str, open_directory: Path) -> None:
    disk, source = open_directory / "disk", open_directory / "source"
    disk.mkdir()
    source.write_bytes(b"n" * 300_000)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", disk], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        (disk / "object").write_bytes(b"older")
        line = failing(what, str(disk / "object"), source)
        assert line.startswith(str(disk))
        assert "No space left on device" in line
        assert (disk / "object").read_bytes() == b"older"
        assert not list(disk.glob("*.partial"))
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize("what", ["write", "write if", "upload"])
def test_a_read_only_directory_leaves_the_older_object_as_it_was(what: str, open_directory: Path) -> None:
    target, source = open_directory / "store" / "object", open_directory / "source"
    target.parent.mkdir()
    target.write_bytes(b"older")
    source.write_bytes(b"new")
    target.chmod(0o444)
    target.parent.chmod(0o555)
    line = failing(what, str(target), source, user=65534 if os.geteuid() == 0 else 0)
    target.parent.chmod(0o755)
    assert line.startswith(str(target.parent))
    assert "Permission denied; check the disk or choose another place" in line
    assert target.read_bytes() == b"older"
    assert [path.name for path in target.parent.iterdir()] == ["object"]


@pytest.mark.parametrize("kind", ["gs", "s3"])
def test_a_download_onto_a_full_disk_is_said_to_be_the_disks_fault(
    at: Place, server_of: object, open_directory: Path, source: Callable[[int], Path]
) -> None:
    assert server_of
    place = at / "file"
    place.store.upload(source(300_000), place.key)
    line = failing("download", str(place), open_directory / "copy", limit=100_000)
    assert "File too large; check the disk or choose another place" in line
    assert str(place) in line
