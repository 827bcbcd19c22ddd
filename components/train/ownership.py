"""One trainer at a time: ownership of a directory of checkpoints.

On a local disk the owner holds a file's lock, which the kernel drops however the process ends. In a bucket it rewrites
an object every few seconds (its heartbeat); others watch it by their own clocks, so no two clocks need to agree. An
owner without a heartbeat for TAKEOVER_SECONDS counts as dead. An owner that could not renew its heartbeat, for example
because the store was unreachable, commits nothing until it has renewed it, which fails if another has taken over. A
retry of the owner's own task was started because the owner is dead, so it waits only for one heartbeat.
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

    `task` is a name that all attempts at this task share, and no other; empty if there is none.

    Raises:
        CheckpointsInUseError: on entering, another trainer owns them; the error names it.
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
            StorageError: the store fails after all retries, so it is unknown.
        """
        self._lease.check()


class _FileLock:
    """Ownership on a local disk: the kernel's lock on a file that names the owner."""

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
        """The owner's note about itself; it may hold the lock and not have written it yet."""
        for _ in range(NOTE_TRIES):
            self._file.seek(0)
            if note := self._file.read():
                return str(note)
            time.sleep(0.05)
        return ""

    def release(self) -> None:
        """Give the lock back; the file stays, so that nobody locks one that is being removed."""
        self._file.truncate(0)
        self._file.close()

    def check(self) -> None:
        """Do nothing: nobody can take the lock."""


class _Heartbeat:
    """Ownership in a bucket: an object that its owner keeps rewriting."""

    def __init__(self, place: Place, task: str) -> None:
        self._place = place
        self._task = task
        self._me = {**_me(), "id": secrets.token_hex(8), "task": task}
        self._version = ABSENT
        self._beats = 0
        self._heard = 0.0  # when the last heartbeat that arrived was sent, by this process's clock
        self._lost: CheckpointsInUseError | None = None
        self._turn = threading.Lock()  # between the thread's heartbeats and those before a commit
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True, name="checkpoints-owner")

    def acquire(self) -> None:
        """Become the owner, possibly after waiting for a dead one's time, and send heartbeats; or raise."""
        version = self._when_left()
        try:
            self._write(version)
        except ConflictError:
            now = self._place.store.read(self._place.key)
            raise _in_use(str(self._place), now[0].decode(errors="replace") if now else "") from None
        self._thread.start()

    def release(self) -> None:
        """Stop the heartbeat and remove the object, unless another may own it by now."""
        self._ended.set()
        self._thread.join()
        if self._lost is None and self._is_heard():  # else another may have it
            try:
                self._place.store.delete(self._place.key)
            except StorageError as error:
                log.warning(
                    f"could not release {self._place}, so the next trainer will wait {TAKEOVER_SECONDS:g} s: {error}"
                )

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
        """The version to take over from, once an owner sent no heartbeat for the time of `_patience`.

        One change is not a sign of life, since a killed owner's last request may arrive late; two are.
        """
        seen, changes, deadline = ABSENT, 0, 0.0
        while found := self._place.store.read(self._place.key):
            owner, version = found
            if version != seen:
                changes += seen != ABSENT
                if changes == SIGNS_OF_LIFE:
                    raise _in_use(str(self._place), owner.decode(errors="replace"))
                if seen == ABSENT:
                    log.info(f"{self._place}: left by another trainer; waiting to see whether it is alive")
                seen, deadline = version, time.monotonic() + self._patience(owner)
            elif time.monotonic() >= deadline:
                return version
            time.sleep(BEAT_SECONDS / 5)
        return ABSENT

    def _patience(self, owner: bytes) -> float:
        """How long an owner may be silent before it counts as dead."""
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
        """Send a heartbeat, or record that another trainer has taken over."""
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
        """The version of our own heartbeat that arrived although its response was lost; None if there is none."""
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
    """Whether this is an owner's file: empty, or with a note of who it is."""
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
