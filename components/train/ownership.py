"""One trainer at a time: who owns a directory of checkpoints.

On a local disk the owner holds a file's lock, which the kernel drops however the process ends. In a bucket it
rewrites an object every few seconds; others watch it by their own clock, so no two clocks need agree. An owner
that was not heard of for TAKEOVER_SECONDS is taken for dead. One that could not make itself heard, as where the store
was away, commits nothing before it was heard again, which it is not if another has taken over. A retry of the owner's
own task knows that it was started because that one is dead, and waits for one beat alone.
"""

import fcntl
import json
import os
import platform
import secrets
import threading
import time
from pathlib import Path
from typing import Any, Self

from components.artifacts import storage
from components.artifacts.as_json import as_json
from components.artifacts.errors import CheckpointsInUseError
from components.artifacts.storage import ABSENT, ConflictError, Place, StorageError
from components.command import log

OWNER_NAME = "OWNER"
BEAT_SECONDS = 5.0
TAKEOVER_SECONDS = 30.0
NOTE_TRIES = 20
SIGNS_OF_LIFE = 2


class Ownership:
    """Owns the checkpoints at a URI while its `with` block lasts.

    `task` names what trains there the same in each attempt at it, and unlike any other; empty where nothing does.

    Raises:
        CheckpointsInUseError: on entering, another trainer owns them; it says which.
    """

    def __init__(self, uri: str, task: str = "") -> None:
        self._place = storage.place_of(uri)
        self._lease: _FileLock | _Heartbeat
        if self._place.local is not None:
            self._lease = _FileLock(self._place.local)
        else:
            self._lease = _Heartbeat(self._place / OWNER_NAME, task)

    def __enter__(self) -> Self:
        self._lease.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self._lease.release()

    def check(self) -> None:
        """Return while no other trainer has taken over; call it before a commit.

        Raises:
            CheckpointsInUseError: one has.
            StorageError: whether one has can't be told, as the store fails for good.
        """
        self._lease.check()


class _FileLock:
    """Ownership on a local disk: the kernel's lock on a file that says who has it."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / OWNER_NAME
        self._file: Any = None

    def acquire(self) -> None:
        """Take the lock, or raise CheckpointsInUseError with the owner's note."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _in_use(str(self._path.parent), self._owners_note()) from None
        self._file.truncate(0)
        self._file.write(as_json(_me()))
        self._file.flush()

    def _owners_note(self) -> str:
        """What the owner wrote about itself; it may have the lock and be about to write."""
        for _ in range(NOTE_TRIES):
            self._file.seek(0)
            if note := self._file.read():
                return str(note)
            time.sleep(0.05)
        return ""

    def release(self) -> None:
        self._file.truncate(0)
        self._file.close()

    def check(self) -> None:
        """Hold the lock: nobody can have taken it."""


class _Heartbeat:
    """Ownership in a bucket: an object that its owner keeps rewriting."""

    def __init__(self, place: Place, task: str) -> None:
        self._place = place
        self._task = task
        self._me = {**_me(), "id": secrets.token_hex(8), "task": task}
        self._version = ABSENT
        self._beats = 0
        self._heard = 0.0  # when the last beat that arrived was sent, by this process's clock
        self._lost: CheckpointsInUseError | None = None
        self._turn = threading.Lock()  # the thread's beats and those that a commit asks for
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True, name="checkpoints-owner")

    def acquire(self) -> None:
        """Become the owner, perhaps after a dead one's time is up, and keep saying so; or raise."""
        version = self._when_left()
        try:
            self._write(version)
        except ConflictError:
            now = self._place.store.read(self._place.key)
            raise _in_use(str(self._place), now[0].decode(errors="replace") if now else "") from None
        self._thread.start()

    def release(self) -> None:
        self._ended.set()
        self._thread.join()
        if self._lost is None and self._is_heard():  # else another may have it
            try:
                self._place.store.delete(self._place.key)
            except StorageError as error:
                log.warning(f"the next trainer waits {TAKEOVER_SECONDS:g} s, as {self._place} stays: {error}")

    def check(self) -> None:
        if self._lost is None and not self._is_heard():
            self._renew()
        if self._lost is not None:
            raise self._lost

    def _is_heard(self) -> bool:
        """Whether nobody can have taken over yet."""
        silent = BEAT_SECONDS if self._task else TAKEOVER_SECONDS - BEAT_SECONDS
        return time.monotonic() - self._heard < silent

    def _when_left(self) -> str:
        """The version to take over from, when nothing was heard of an owner for as long as `_patience` says.

        One change is no sign of life: a killed owner's last request may arrive late. Two are.
        """
        seen, changes, deadline = ABSENT, 0, 0.0
        while found := self._place.store.read(self._place.key):
            owner, version = found
            if version != seen:
                changes += seen != ABSENT
                if changes == SIGNS_OF_LIFE:
                    raise _in_use(str(self._place), owner.decode(errors="replace"))
                if seen == ABSENT:
                    log.info(f"{self._place}: left by another trainer; waiting to see whether it lives")
                seen, deadline = version, time.monotonic() + self._patience(owner)
            elif time.monotonic() >= deadline:
                return version
            time.sleep(BEAT_SECONDS / 5)
        return ABSENT

    def _patience(self, owner: bytes) -> float:
        """How long an owner may be silent until it is taken for dead."""
        try:
            is_of_my_task = bool(self._task) and json.loads(owner).get("task") == self._task
        except (ValueError, AttributeError):
            is_of_my_task = False
        return BEAT_SECONDS if is_of_my_task else TAKEOVER_SECONDS

    def _beat(self) -> None:
        while not self._ended.wait(BEAT_SECONDS) and self._lost is None:
            try:
                self._renew()
            except StorageError as error:
                log.warning(f"could not renew the ownership of the checkpoints: {error}")

    def _renew(self) -> None:
        """Be heard again; or note that another trainer has taken over."""
        with self._turn:
            try:
                try:
                    self._write(self._version)
                except ConflictError:
                    if (mine := self._mine()) is None:
                        raise
                    self._write(mine)
            except ConflictError:
                self._lost = _in_use(str(self._place), "another trainer")

    def _mine(self) -> str | None:
        """The version of a beat of ours that arrived and whose answer did not; None for none."""
        data, version = self._place.store.read(self._place.key) or (b"", ABSENT)
        try:
            return version if json.loads(data)["id"] == self._me["id"] else None
        except (ValueError, KeyError, TypeError):
            return None

    def _write(self, expected: str) -> None:
        self._beats += 1
        data = as_json({**self._me, "beats": self._beats}).encode()
        began = time.monotonic()
        self._version = self._place.store.write(self._place.key, data, expected=expected)
        self._heard = began


def is_owners_note(data: bytes) -> bool:
    """Whether this is what an owner leaves in its file: nothing, or who it is."""
    try:
        return not data or {"host", "pid"} <= json.loads(data).keys()
    except (ValueError, AttributeError):
        return False


def _me() -> dict[str, Any]:
    return {"host": platform.node(), "pid": os.getpid()}


def _in_use(place: str, owner: str) -> CheckpointsInUseError:
    try:
        values = json.loads(owner)
        owner = f"process {values['pid']} on {values['host']}"
    except (ValueError, KeyError, TypeError):
        owner = owner or "another trainer"
    return CheckpointsInUseError(
        f"{place}: owned by {owner}, which trains there now; wait for it, or choose another place"
    )
