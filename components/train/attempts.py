"""Training in a process of its own, started again from its checkpoints when it was killed or may go well later.

By its stock settings Kubeflow tries a task again when its pod was lost, not when its container failed: killed for
memory, or by a store that was away for too long. So a pipeline's task sees to that itself, as its environment's
`retries` say, which placement hands it in a variable. Without that variable training runs where it is called.
"""

import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from components.artifacts.as_json import as_json
from components.artifacts.errors import QuillflowError
from components.command import log
from components.command.stage import errors_in_one_line
from components.train.orphaned import stop_when_orphaned

RETRIES_VARIABLE = "QUILLFLOW_TRAIN_RETRIES"
Work = Callable[[], Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Retries:
    """How often training is started again, how long it waits before the first time (s), and how that grows."""

    count: int
    backoff: float
    factor: float

    def as_variable(self) -> str:
        """What RETRIES_VARIABLE is set to."""
        return as_json({"count": self.count, "backoff": self.backoff, "factor": self.factor})


@dataclass
class _Stop:
    """Whether this process was told to stop; whoever trains is told too."""

    asked: Event = field(default_factory=Event)
    worker: Any = None

    def heed(self, number: int, _: object) -> None:
        self.asked.set()
        # A terminal tells all its processes of SIGINT itself.
        if number != signal.SIGINT and self.worker is not None and self.worker.is_alive():
            self.worker.terminate()


def lasting(work: Work) -> Mapping[str, Any]:
    """What `work` returns: done here, or where RETRIES_VARIABLE is set in a child that is started again as it says.

    Raises:
        SystemExit: as the last attempt ended; 128 and the signal's number where one killed it.
    """
    asked = os.environ.get(RETRIES_VARIABLE)
    if not asked:
        return work()
    retries = Retries(**json.loads(asked))
    wait = retries.backoff
    with _told_to_stop() as stop:
        for tried in range(retries.count + 1):
            ended = _attempt(work, stop)
            if ended.result is not None:
                return ended.result
            if stop.asked.is_set() or not ended.may_pass or tried == retries.count:
                raise SystemExit(ended.exit_code)
            log.warning(
                f"training starts again from its checkpoints in {wait:g} s, retry {tried + 1} of {retries.count}"
            )
            if stop.asked.wait(wait):
                break
            wait *= retries.factor
    raise SystemExit(128 + signal.SIGTERM)


@dataclass(frozen=True, kw_only=True)
class _Ended:
    """How an attempt ended: with a result, or with an exit code after something that may pass or not."""

    result: Mapping[str, Any] | None
    exit_code: int
    may_pass: bool


def _attempt(work: Work, stop: _Stop) -> _Ended:
    # Forked before TensorFlow is imported: the child has all that it needs, and what it takes ends with it.
    forked = multiprocessing.get_context("fork")
    ours, theirs = forked.Pipe(duplex=False)
    stop.worker = forked.Process(target=_work, args=(work, theirs))
    stop.worker.start()
    theirs.close()
    if stop.asked.is_set():
        stop.worker.terminate()
    said: Any = None
    with suppress(EOFError):  # it may end without a word
        said = ours.recv()
    stop.worker.join()
    code: int = stop.worker.exitcode
    if code >= 0:
        return _Ended(result=said if code == 0 else None, exit_code=code or 1, may_pass=said is True)
    name = signal.Signals(-code).name
    for_memory = ", mostly for memory: raise train.memory_limit, or lower train.batch" if name == "SIGKILL" else ""
    log.error(f"training was killed by {name}{for_memory}", 128 - code)
    return _Ended(result=None, exit_code=128 - code, may_pass=True)


def _work(work: Work, parent: Any) -> None:
    """Do the work in the child; the parent is told its result, or whether its failure may pass."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    stop_when_orphaned()
    with errors_in_one_line(verbose=True):
        try:
            parent.send(dict(work()))
        except QuillflowError as error:
            parent.send(error.may_pass)
            raise


@contextmanager
def _told_to_stop() -> Iterator[_Stop]:
    """Note SIGTERM, and SIGINT unless the caller ignores it, while it lasts."""
    stop = _Stop()
    heard = [number for number in (signal.SIGTERM, signal.SIGINT) if signal.getsignal(number) is not signal.SIG_IGN]
    previous = {number: signal.signal(number, stop.heed) for number in heard}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
