"""A store that goes away and comes back, or answers late, costs time and no work."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from components.artifacts import storage
from components.artifacts.errors import CheckpointsInUseError
from components.artifacts.storage import Place, StorageError, gcs, place_of, s3_client
from components.train import ownership
from components.train.ownership import OWNER_NAME, Ownership
from tests.durability import harness
from tests.storage import servers
from tests.storage.trees import fill, tree_in


@pytest.fixture(params=["gs", "s3"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ownership, "BEAT_SECONDS", 0.1)
    monkeypatch.setattr(ownership, "TAKEOVER_SECONDS", 1.0)


def give_up_after(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    for module in (gcs, s3_client):
        monkeypatch.setattr(module, "RETRY_SECONDS", seconds)


def test_many_uploads_outlast_a_store_that_is_away_again_and_again(
    at: Place, faults: servers.Faults, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1000)
    at.store.upload(path, (at / "before").key)  # a server that never answered is not waited for as long
    for outage in range(3):
        faults.go_away(1.0)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: at.store.upload(path, (at / f"{number}").key), range(outage, outage + 8)))
    undisturbed = 3 * 8 * (2 if str(at).startswith("gs") else 1)
    assert len(faults.seen) > undisturbed + 3 * 8, "they were hardly repeated"


def test_a_store_that_stays_away_is_said_to_be(
    at: Place, faults: servers.Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_up_after(monkeypatch, 0.5)
    faults.go_away(60)
    with pytest.raises(StorageError, match="can't be reached"):
        at.store.write(at.key, b"")


@pytest.mark.usefixtures("short_lease")
def test_an_owner_whose_store_was_away_for_longer_than_others_wait_continues(root: str, faults: servers.Faults) -> None:
    with Ownership(root) as owned:
        time.sleep(0.3)
        faults.go_away(2.0)
        owned.check()
        time.sleep(1.5)
        owned.check()  # not before it was heard again
        found = storage.read_file(f"{root}/{OWNER_NAME}")
        assert found is not None
        time.sleep(0.5)
        later = storage.read_file(f"{root}/{OWNER_NAME}")
        assert later is not None
        assert later[1] != found[1], "it is not heard of any more"
    assert storage.read_file(f"{root}/{OWNER_NAME}") is None


@pytest.mark.usefixtures("short_lease")
def test_an_owner_that_was_taken_over_while_it_was_not_heard_may_not_commit(
    root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ownership, "BEAT_SECONDS", 0.8)
    with Ownership(root) as owned:
        storage.write_file(f"{root}/{OWNER_NAME}", b'{"host": "other", "pid": 2}')
        time.sleep(0.3)  # it counts as unheard now, and its thread has not looked yet
        with pytest.raises(CheckpointsInUseError, match="owned by another trainer"):
            owned.check()
    found = storage.read_file(f"{root}/{OWNER_NAME}")
    assert found is not None
    assert b"other" in found[0]


@pytest.mark.usefixtures("short_lease")
def test_a_beat_that_arrived_and_whose_answer_never_did_is_the_owners_own(
    root: str, faults: servers.Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_up_after(monkeypatch, 0.05)
    with Ownership(root) as owned:
        faults.add("lost", f"^(PUT|POST) .*{OWNER_NAME}")
        faults.add("reset", times=3)
        time.sleep(1.5)
        assert not faults.left()
        owned.check()


@pytest.mark.usefixtures("short_lease")
def test_late_answers_leave_an_owner_its_checkpoints(root: str, faults: servers.Faults) -> None:
    faults.be_late(0.33)  # of a lease as 10 s are of the real one
    refused = threading.Event()

    def attempt() -> None:
        try:
            with Ownership(root):
                pass
        except CheckpointsInUseError:
            refused.set()

    with Ownership(root) as owned:
        other = threading.Thread(target=attempt)
        other.start()
        other.join(20)
        owned.check()
    assert refused.is_set()


def test_an_artifact_is_published_whole_where_the_store_goes_away_during_it(
    root: str, faults: servers.Faults, tmp_path: Path
) -> None:
    tree = {f"samples-{number}.jsonl": b"%d\n" % number * 1000 for number in range(12)}
    leaves = threading.Thread(target=lambda: (wait_for(faults, "samples-3"), faults.go_away(2.0)))
    leaves.start()
    with storage.outgoing(f"{root}/samples", "corpus") as directory:
        fill(directory, tree)
    leaves.join()
    storage.pull(place_of(f"{root}/samples"), tmp_path / "copy")
    assert {name: data for name, data in tree_in(tmp_path / "copy").items() if name in tree} == tree


def wait_for(faults: servers.Faults, request: str, *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not faults.count(request) and time.monotonic() < deadline:
        time.sleep(0.005)


@pytest.mark.slow("the store is away for longer than an owner may be silent")
def test_training_whose_store_is_away_ends_with_the_same_weights(
    root: str, faults: servers.Faults, tmp_path: Path
) -> None:
    settings = {**harness.VARIANTS["carried state, adamw"], "checkpoint_steps": 20}
    dataset = harness.make_dataset(tmp_path)
    assert harness.train(dataset, tmp_path / "undisturbed", settings) == 0
    process = harness.start(dataset, tmp_path / "disturbed", settings, checkpoints=f"{root}/checkpoints")
    wait_for(faults, "LATEST", seconds=60)
    faults.go_away(12)  # others would take over after 8 s
    log = tmp_path / "disturbed.log"
    assert harness.end(process) == 0, log.read_text()
    assert harness.weights(tmp_path / "disturbed") == harness.weights(tmp_path / "undisturbed")
