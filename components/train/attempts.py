"""Training in a child process, restarted from its checkpoints after a kill or a temporary failure.

By default Kubeflow retries a task whose pod was lost, but not one whose container failed because it ran out of memory
or a store was unreachable for too long. So a pipeline's task retries by itself, according to its environment's
`retries`, which it receives in a variable. Without that variable training runs in the calling process.
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
from components.train.config import TrainConfig
from components.train.orphaned import stop_when_orphaned

RETRIES_VARIABLE = "QUILLFLOW_TRAIN_RETRIES"
Work = Callable[[], Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Retries:
    """How often training is restarted, how long it waits before the first restart [s], and how the wait grows."""

    count: int
    backoff: float
    factor: float

    def as_variable(self) -> str:
        """The value of RETRIES_VARIABLE."""
        return as_json({"count": self.count, "backoff": self.backoff, "factor": self.factor})


@dataclass
class _Stop:
    """Whether this process received a signal to stop; it is passed on to the child."""

    asked: Event = field(default_factory=Event)
    worker: Any = None

    def heed(self, number: int, _: object) -> None:
        self.asked.set()
        # A terminal sends SIGINT to all its processes itself.
        if number != signal.SIGINT and self.worker is not None and self.worker.is_alive():
            self.worker.terminate()


def train_with_restarts(config: TrainConfig, **given: Any) -> Mapping[str, Any]:
    """As `components.train.training.train`, but as `lasting`: TensorFlow is imported in the child alone."""

    def work() -> Mapping[str, Any]:
        """One attempt."""
        from components.train.training import train

        return train(config, **given)

    return lasting(work)


def lasting(work: Work) -> Mapping[str, Any]:
    """Return the result of `work`: called here, or in a child with restarts if RETRIES_VARIABLE is set.

    Raises:
        SystemExit: the last attempt's exit code; 128 plus the signal's number if a signal killed it.
    """
    asked = os.environ.get(RETRIES_VARIABLE)
    if not asked:
        return work()
    retries = Retries(**json.loads(asked))
    wait = retries.backoff
    with _was_signalled() as stop:
        for tried in range(retries.count + 1):
            ended = _attempt(work, stop, tried)
            if ended.result is not None:
                return ended.result
            if stop.asked.is_set() or not ended.may_pass or tried == retries.count:
                raise SystemExit(ended.exit_code)
            log.warning(f"training restarts from its checkpoints in {wait:g} s, retry {tried + 1} of {retries.count}")
            if stop.asked.wait(wait):
                break
            wait *= retries.factor
    raise SystemExit(128 + signal.SIGTERM)


@dataclass(frozen=True, kw_only=True)
class _Ended:
    """How an attempt ended: with a result, or with an exit code and whether the failure may be temporary."""

    result: Mapping[str, Any] | None
    exit_code: int
    may_pass: bool


def _attempt(work: Work, stop: _Stop, restart: int) -> _Ended:
    # Forked before TensorFlow is imported: all that the child allocates is freed when it ends.
    forked = multiprocessing.get_context("fork")
    ours, theirs = forked.Pipe(duplex=False)
    stop.worker = forked.Process(target=_work, args=(work, theirs, restart))
    stop.worker.start()
    theirs.close()
    if stop.asked.is_set():
        stop.worker.terminate()
    said: Any = None
    with suppress(EOFError):  # it may end without sending anything
        said = ours.recv()
    stop.worker.join()
    code: int = stop.worker.exitcode
    if code >= 0:
        return _Ended(result=said if code == 0 else None, exit_code=code or 1, may_pass=said is True)
    name = signal.Signals(-code).name
    for_memory = ", mostly for memory: raise train.memory_limit, or lower train.batch" if name == "SIGKILL" else ""
    log.error(f"training was killed by {name}{for_memory}", 128 - code)
    return _Ended(result=None, exit_code=128 - code, may_pass=True)


def _work(work: Work, parent: Any, restart: int) -> None:
    """Do the work in the child; send the parent the result, or whether the failure may be temporary."""
    os.environ[log.RESTART_VARIABLE] = str(restart)
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
def _was_signalled() -> Iterator[_Stop]:
    """Note SIGTERM, and SIGINT unless the caller ignores it, while it lasts."""
    stop = _Stop()
    heard = [number for number in (signal.SIGTERM, signal.SIGINT) if signal.getsignal(number) is not signal.SIG_IGN]
    previous = {number: signal.signal(number, stop.heed) for number in heard}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
