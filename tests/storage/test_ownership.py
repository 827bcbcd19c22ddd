"""One trainer at a time, on each kind of store."""

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from components.artifacts import storage
from components.artifacts.as_json import as_json
from components.artifacts.errors import CheckpointsInUseError
from components.train import ownership
from components.train.ownership import OWNER_NAME, Ownership


@pytest.fixture(autouse=True)
def short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ownership, "BEAT_SECONDS", 0.2)
    monkeypatch.setattr(ownership, "TAKEOVER_SECONDS", 1.5)


def test_of_eight_that_want_it_one_owns_it_and_the_others_learn_who(root: str) -> None:
    ready = threading.Barrier(8)
    done = threading.Event()

    def attempt(_: int) -> str:
        ready.wait()
        try:
            with Ownership(root) as owned:
                done.wait(20)
                owned.check()
                return "owned"
        except CheckpointsInUseError as error:
            if refused.append(str(error)) or len(refused) == 7:
                done.set()
            return "refused"

    refused: list[str] = []
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(attempt, range(8)))
    assert sorted(outcomes) == ["owned", *["refused"] * 7]
    assert all("owned by process" in message for message in refused)


def test_it_can_be_owned_again_when_the_owner_has_left(root: str) -> None:
    for _ in range(2):
        with Ownership(root) as owned:
            owned.check()


@pytest.mark.parametrize("kind", ["gs", "s3"])
def test_an_owner_that_died_is_taken_over_when_nothing_was_heard_of_it(root: str, kind: str) -> None:
    assert root.startswith(kind)
    storage.write_file(f"{root}/{OWNER_NAME}", b'{"host": "gone", "pid": 1}')
    began = time.monotonic()
    with Ownership(root) as owned:
        owned.check()
    assert time.monotonic() - began >= ownership.TAKEOVER_SECONDS


@pytest.mark.parametrize("kind", ["gs", "s3"])
def test_a_retry_of_the_dead_owner_s_task_takes_over_after_one_beat(root: str, kind: str) -> None:
    assert root.startswith(kind)
    storage.write_file(f"{root}/{OWNER_NAME}", b'{"host": "gone", "pid": 1, "task": "run/train"}')
    began = time.monotonic()
    with Ownership(root, "run/train") as owned:
        owned.check()
        took = time.monotonic() - began
        note = storage.read_file(f"{root}/{OWNER_NAME}")
    assert ownership.BEAT_SECONDS <= took < ownership.TAKEOVER_SECONDS
    assert note
    assert b'"task": "run/train"' in note[0]


@pytest.mark.parametrize(("mine", "owners"), [("run/train", "other/train"), ("", "run/train"), ("run/train", "")])
@pytest.mark.parametrize("kind", ["s3"])
def test_other_trainers_wait_until_an_owner_is_surely_dead(root: str, kind: str, mine: str, owners: str) -> None:
    assert root.startswith(kind)
    note = as_json({"host": "gone", "pid": 1, "task": owners})
    storage.write_file(f"{root}/{OWNER_NAME}", note.encode())
    began = time.monotonic()
    with Ownership(root, mine):
        assert time.monotonic() - began >= ownership.TAKEOVER_SECONDS


@pytest.mark.parametrize("kind", ["gs"])
def test_a_retry_whose_predecessor_lives_is_reported_so(root: str, kind: str) -> None:
    """Kubernetes may start a pod while the one before it, on a node that it lost, still trains."""
    assert root.startswith(kind)
    ended = threading.Event()

    def live() -> None:
        beats = 0
        while not ended.wait(ownership.BEAT_SECONDS / 2):
            beats += 1
            storage.write_file(
                f"{root}/{OWNER_NAME}", as_json({"host": "a", "pid": 1, "task": "t", "n": beats}).encode()
            )

    storage.write_file(f"{root}/{OWNER_NAME}", b'{"host": "a", "pid": 1, "task": "t"}')
    thread = threading.Thread(target=live)
    thread.start()
    try:
        with pytest.raises(CheckpointsInUseError), Ownership(root, "t"):
            pass
    finally:
        ended.set()
        thread.join()


@pytest.mark.parametrize("kind", ["gs", "s3"])
def test_a_dead_owners_last_word_that_comes_late_is_no_sign_of_life(root: str, kind: str) -> None:
    assert root.startswith(kind)
    storage.write_file(f"{root}/{OWNER_NAME}", b'{"host": "gone", "pid": 1, "beats": 1}')
    late = threading.Timer(0.5, storage.write_file, [f"{root}/{OWNER_NAME}", b'{"host": "gone", "pid": 1, "beats": 2}'])
    late.start()
    with Ownership(root) as owned:
        owned.check()
    late.join()


@pytest.mark.parametrize("kind", ["gs", "s3"])
def test_an_owner_that_was_taken_over_may_not_commit(root: str, kind: str) -> None:
    assert root.startswith(kind)
    with Ownership(root) as owned:
        storage.write_file(f"{root}/{OWNER_NAME}", b'{"host": "other", "pid": 2}')
        assert lost_within(owned, seconds=10)
    found = storage.read_file(f"{root}/{OWNER_NAME}")
    assert found is not None
    assert b"other" in found[0]  # what is not ours any more is left alone


def test_a_clock_that_jumps_by_an_hour_moves_no_ownership(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real, jumps = time.time, itertools.cycle([0.0, 3600.0, -3600.0])
    with Ownership(root) as owned:
        monkeypatch.setattr(time, "time", lambda: real() + next(jumps))
        time.sleep(0.5)
        owned.check()
        with pytest.raises(CheckpointsInUseError):
            Ownership(root).__enter__()
        monkeypatch.undo()


def lost_within(owned: Ownership, *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            owned.check()
        except CheckpointsInUseError:
            return True
        time.sleep(0.02)
    return False
