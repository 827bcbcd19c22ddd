"""What goes wrong on the way to a store, or with the disk: recovered from, or said in one line."""

import json
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig

from components.artifacts.storage import (
    ABSENT,
    ConflictError,
    Place,
    StorageError,
    gcs,
    incoming,
    outgoing,
    place_of,
    s3,
    s3_client,
)
from tests.storage import servers
from tests.storage.test_transfer import fill, tree_in

WRITES, READS, ALWAYS = "^(PUT|POST) ", "^GET ", 1000
TRANSIENT = ["500", "503", "429", "reset", "lost", "stall"]


@pytest.fixture(params=["gs", "s3"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def silence() -> float:
    return 0.4


@pytest.fixture(autouse=True)
def in_parts(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 -- it comes first
    """Clients repeat requests for long, as on a busy machine more fail than are told to, and send files in parts."""
    give_up_after(30.0, monkeypatch)
    monkeypatch.setattr(gcs, "CHUNK_BYTES", 4 << 20)
    parts = TransferConfig(multipart_threshold=6 << 20, multipart_chunksize=5 << 20, max_concurrency=2)
    monkeypatch.setattr(s3, "_TRANSFER", parts)


def give_up_after(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gcs, "RETRY_SECONDS", seconds)
    monkeypatch.setattr(s3_client, "RETRY_SECONDS", seconds)
    monkeypatch.setattr(s3_client, "UNHEARD_SECONDS", seconds)


@pytest.fixture
def soon(in_parts: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 -- it comes first
    """Clients give up soon."""
    give_up_after(1.0, monkeypatch)


def content(place: Place) -> bytes | None:
    found = place.store.read(place.key)
    return found and found[0]


@pytest.fixture
def source(tmp_path: Path) -> Callable[[int], Path]:
    """A file of random bytes of a size."""

    def make(size: int) -> Path:
        path = tmp_path / "source"
        path.write_bytes(secrets.token_bytes(size))
        return path

    return make


@pytest.mark.parametrize("fault", TRANSIENT)
def test_a_conditional_write_gets_over_a_fault_and_counts_once(at: Place, faults: servers.Faults, fault: str) -> None:
    place = at / "LATEST"
    faults.add(fault, WRITES)
    first = place.store.write(place.key, b"first", expected=ABSENT)
    assert place.store.read(place.key) == (b"first", first)
    faults.add(fault, WRITES, times=2)
    second = place.store.write(place.key, b"second", expected=first)
    assert place.store.read(place.key) == (b"second", second)
    assert faults.left() == 0
    with pytest.raises(ConflictError):
        place.store.write(place.key, b"third", expected=first)


@pytest.mark.parametrize("kind", ["s3"])
def test_a_conditional_write_that_met_another_under_way_is_tried_again(at: Place, faults: servers.Faults) -> None:
    place = at / "LATEST"
    faults.add("409", WRITES, times=2)
    version = place.store.write(place.key, b"first", expected=ABSENT)
    assert place.store.read(place.key) == (b"first", version)
    assert faults.left() == 0


def test_counting_goes_on_where_every_answer_is_lost(at: Place, faults: servers.Faults) -> None:
    place = at / "counter"
    place.store.write(place.key, b"0", expected=ABSENT)
    for _ in range(5):
        found = place.store.read(place.key)
        assert found is not None
        faults.add("lost", WRITES)
        place.store.write(place.key, str(int(found[0]) + 1).encode(), expected=found[1])
    assert faults.left() == 0
    assert content(place) == b"5"


def test_a_lost_answer_does_not_hide_that_somebody_else_was_first(at: Place, faults: servers.Faults) -> None:
    place = at / "owner"
    place.store.write(place.key, b"somebody else", expected=ABSENT)
    faults.add("lost", WRITES)
    with pytest.raises(ConflictError):
        place.store.write(place.key, b"me", expected=ABSENT)
    assert content(place) == b"somebody else"


@pytest.mark.parametrize("fault", TRANSIENT)
@pytest.mark.parametrize("size", [1000, 11_000_000])
def test_an_upload_gets_over_a_fault(
    at: Place, faults: servers.Faults, fault: str, size: int, source: Callable[[int], Path], tmp_path: Path
) -> None:
    place, path = at / "file", source(size)
    faults.add(fault, WRITES, times=2)
    place.store.upload(path, place.key)
    assert faults.left() == 0
    place.store.download(place.key, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("fault", ["503", "reset", "lost"])
@pytest.mark.parametrize(
    ("kind", "step"),
    [
        ("gs", "PUT .* bytes 4194304-"),
        ("gs", "PUT .* bytes 8388608-"),
        ("s3", "PUT .*partNumber=2"),
        ("s3", "POST .*uploadId="),
    ],
)
def test_a_large_upload_gets_over_a_fault_in_the_middle_and_at_the_end(
    at: Place, faults: servers.Faults, fault: str, step: str, source: Callable[[int], Path], tmp_path: Path
) -> None:
    place, path = at / "file", source(11_000_000)
    faults.add(fault, step)
    place.store.upload(path, place.key)
    assert faults.left() == 0
    place.store.download(place.key, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("fault", [*TRANSIENT, "cut", "flip", "short"])
@pytest.mark.parametrize("size", [1000, 11_000_000])
def test_a_download_gets_over_a_fault(
    at: Place, faults: servers.Faults, fault: str, size: int, source: Callable[[int], Path], tmp_path: Path
) -> None:
    place, path = at / "file", source(size)
    place.store.upload(path, place.key)
    faults.add(fault, READS)
    place.store.download(place.key, tmp_path / "copy")
    assert faults.left() == 0
    assert (tmp_path / "copy").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("size", [1000, 11_000_000])
def test_a_download_that_broke_off_and_goes_on_with_wrong_bytes_is_made_good(
    at: Place, faults: servers.Faults, size: int, source: Callable[[int], Path], tmp_path: Path
) -> None:
    place, path = at / "file", source(size)
    place.store.upload(path, place.key)
    faults.add("cut", READS)
    faults.add("flip", READS)
    place.store.download(place.key, tmp_path / "copy")
    assert faults.left() == 0
    assert (tmp_path / "copy").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("fault", [*TRANSIENT, "cut", "flip", "short"])
def test_a_read_gets_over_a_fault(at: Place, faults: servers.Faults, fault: str) -> None:
    place, data = at / "LATEST", secrets.token_bytes(5000)
    version = place.store.write(place.key, data)
    faults.add(fault, READS, times=2)
    assert place.store.read(place.key) == (data, version)
    assert faults.left() == 0


@pytest.mark.parametrize("fault", TRANSIENT)
def test_a_listing_and_a_delete_get_over_a_fault(at: Place, faults: servers.Faults, fault: str) -> None:
    place = at / "file"
    place.store.write(place.key, b"x")
    faults.add(fault, READS)
    assert [listed.key for listed in at.store.list(at.key)] == [place.key]
    faults.add(fault, "^DELETE")
    place.store.delete(place.key)
    assert faults.left() == 0
    assert content(place) is None


@pytest.mark.parametrize("fault", ["flip", "short"])
def test_what_always_comes_damaged_is_an_error_and_never_data(
    at: Place, faults: servers.Faults, fault: str, tmp_path: Path
) -> None:
    place = at / "file"
    place.store.write(place.key, secrets.token_bytes(1000))
    faults.add(fault, READS, times=ALWAYS)
    for use in (lambda: place.store.read(place.key), lambda: place.store.download(place.key, tmp_path / "copy")):
        with pytest.raises(StorageError, match=f"^{place}: .*damaged.*try again$"):
            use()


@pytest.mark.parametrize("size", [1000, 11_000_000])
def test_what_is_spoilt_on_its_way_out_is_found_out_there_or_on_its_way_back(
    at: Place, faults: servers.Faults, size: int, source: Callable[[int], Path], tmp_path: Path
) -> None:
    place = at / "file"
    faults.add("spoil", "^PUT " if str(at).startswith("s3") or size > 8 << 20 else WRITES)
    with pytest.raises((StorageError, FileNotFoundError)) as failure:
        carry(place, source(size), tmp_path / "copy")
    assert str(place) in str(failure.value)
    assert faults.left() == 0


def carry(place: Place, path: Path, copy: Path) -> None:
    place.store.upload(path, place.key)
    place.store.download(place.key, copy)


def uses(place: Place, path: Path) -> Iterator[Callable[[], Any]]:
    """Everything that a store does, as calls that may fail."""
    yield lambda: place.store.read(place.key)
    yield lambda: place.store.write(place.key, b"x")
    yield lambda: place.store.write(place.key, b"x", expected=ABSENT)
    yield lambda: place.store.upload(path, place.key)
    yield lambda: place.store.download(place.key, path.with_name("copy"))
    yield lambda: place.store.delete(place.key)
    yield lambda: list(place.store.list(place.key))


def line_of(use: Callable[[], Any], *, may_pass: bool) -> str:
    with pytest.raises(StorageError) as failure:
        use()
    assert failure.value.may_pass == may_pass
    assert "\n" not in str(failure.value)
    assert failure.value.__suppress_context__, "the library's own error, with its URLs, would be shown too"
    return str(failure.value)


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("fault", ["503", "429", "stall", "reset"])
def test_a_server_that_stays_down_ends_in_one_line_soon(
    at: Place, faults: servers.Faults, fault: str, source: Callable[[int], Path]
) -> None:
    place, path = at / "file", source(1000)
    cause = {"stall": "can't be reached (no answer in time)", "reset": "can't be reached (connection reset by peer)"}
    faults.add(fault, times=ALWAYS)
    start = time.monotonic()
    line = line_of(lambda: place.store.upload(path, place.key), may_pass=True)
    assert time.monotonic() - start < 8
    assert line.startswith(f"{place}: ")
    assert cause.get(fault, f"the server answered {fault}") in line
    assert "try again" in line


@pytest.mark.parametrize("status", ["401", "403"])
def test_what_is_not_allowed_is_said_at_once_with_what_to_do(
    at: Place, kind: str, faults: servers.Faults, status: str, source: Callable[[int], Path]
) -> None:
    place = at / "file"
    for use in uses(place, source(10)):
        faults.clear()
        faults.add(status, times=ALWAYS)
        line = line_of(use, may_pass=False)
        assert line.startswith(f"{place}: ")
        assert f"the server answered {status}" in line or (kind, status) == ("gs", "401")
        assert re.search({"gs": "gcloud auth|application default credentials", "s3": "AWS_ACCESS_KEY_ID"}[kind], line)
        assert len(faults.seen) == 1, "it was tried again in vain"


@pytest.mark.parametrize("variable", [("gs", "STORAGE_EMULATOR_HOST"), ("s3", "AWS_ENDPOINT_URL")])
@pytest.mark.usefixtures("fresh_clients", "soon")
def test_a_server_that_is_not_there_is_named_by_its_variable(
    variable: tuple[str, str], server_of: object, monkeypatch: pytest.MonkeyPatch, source: Callable[[int], Path]
) -> None:
    assert server_of
    scheme, name = variable
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    place = place_of(f"{scheme}://bucket/file")
    line = line_of(next(uses(place, source(10))), may_pass=True)
    assert line.startswith(f"{scheme}://bucket/file: can't be reached (connection refused); check")
    assert name in line


@pytest.mark.parametrize(
    ("uri", "advice"),
    [
        ("gs://bucket/file", "no Google credentials; run `gcloud auth application-default login`"),
        ("s3://bucket/file", "no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    ],
)
@pytest.mark.usefixtures("fresh_clients")
def test_missing_credentials_are_said_with_what_to_do(uri: str, advice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STORAGE_EMULATOR_HOST", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    line = line_of(lambda: place_of(uri).store.read("file"), may_pass=False)
    assert advice in line


def test_a_whole_artifact_goes_out_and_in_through_a_bad_network(root: str, faults: servers.Faults) -> None:
    tree = {f"file-{n}": secrets.token_bytes(2000) for n in range(12)}
    for number, fault in enumerate(["503", "reset", "lost", "429"]):
        faults.add(fault, f"^(PUT|POST) .*/file-{number}")
        faults.add(fault, "^(PUT|POST) .*/file-1")
    faults.add("lost", "^(PUT|POST) .*/manifest.json")
    with outgoing(f"{root}/artifact", "corpus") as directory:
        fill(directory, tree)
    assert faults.left() == 0
    for number, fault in enumerate(["flip", "cut", "reset", "503", "short"]):
        faults.add(fault, f"^GET .*/file-{number}")
    with incoming(f"{root}/artifact", "corpus") as directory:
        assert {name: tree_in(directory)[name] for name in tree} == tree


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
    assert "File too large; see to the disk or choose another place" in line
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
    assert "Permission denied; see to the disk or choose another place" in line
    assert target.read_bytes() == b"older"
    assert [path.name for path in target.parent.iterdir()] == ["object"]


def test_a_download_onto_a_full_disk_is_said_to_be_the_disks_fault(
    at: Place, server_of: object, open_directory: Path, source: Callable[[int], Path]
) -> None:
    assert server_of
    place = at / "file"
    place.store.upload(source(300_000), place.key)
    line = failing("download", str(place), open_directory / "copy", limit=100_000)
    assert "File too large; see to the disk or choose another place" in line
    assert str(place) in line
