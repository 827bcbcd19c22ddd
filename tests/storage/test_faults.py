"""What goes wrong on the way to a store is recovered from, or is an error and never wrong data."""

import secrets
from collections.abc import Callable
from pathlib import Path

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
    s3,
    s3_client,
)
from tests.storage import servers
from tests.storage.trees import fill, tree_in

WRITES, READS, ALWAYS = "^(PUT|POST) ", "^GET ", 1000
TRANSIENT = ["500", "503", "429", "reset", "lost", "stall"]


@pytest.fixture(params=["gs", "s3"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def in_parts(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 -- it comes first
    """Clients retry requests for long, as on a busy machine others fail too, and send files in parts."""
    give_up_after(30.0, monkeypatch)
    monkeypatch.setattr(gcs, "CHUNK_BYTES", 4 << 20)
    parts = TransferConfig(multipart_threshold=6 << 20, multipart_chunksize=5 << 20, max_concurrency=2)
    monkeypatch.setattr(s3, "_TRANSFER", parts)


def give_up_after(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gcs, "RETRY_SECONDS", seconds)
    monkeypatch.setattr(s3_client, "RETRY_SECONDS", seconds)
    monkeypatch.setattr(s3_client, "UNHEARD_SECONDS", seconds)


def content(place: Place) -> bytes | None:
    found = place.store.read(place.key)
    return found and found[0]


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


def test_counting_continues_where_every_answer_is_lost(at: Place, faults: servers.Faults) -> None:
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
def test_a_download_that_broke_off_and_continues_with_wrong_bytes_is_repaired(
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
def test_what_is_damaged_on_its_way_out_is_detected_there_or_on_its_way_back(
    at: Place, faults: servers.Faults, size: int, source: Callable[[int], Path], tmp_path: Path
) -> None:
    place = at / "file"
    faults.add("damage", "^PUT " if str(at).startswith("s3") or size > 8 << 20 else WRITES)
    with pytest.raises((StorageError, FileNotFoundError)) as failure:
        carry(place, source(size), tmp_path / "copy")
    assert str(place) in str(failure.value)
    assert faults.left() == 0


def carry(place: Place, path: Path, copy: Path) -> None:
    place.store.upload(path, place.key)
    place.store.download(place.key, copy)


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
