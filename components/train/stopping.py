"""Stopping training on a signal: it saves a checkpoint, and the process ends."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from components.command import log


class Stopping:
    """Handles SIGTERM, and SIGINT and SIGHUP unless the caller ignores them.

    Args:
        taken, saved: the current train step, and that of the newest checkpoint.
        save: saves a checkpoint, and returns when it is committed.
    """

    def __init__(self, *, taken: Callable[[], int], saved: Callable[[], int], save: Callable[[], None]) -> None:
        self._taken, self._saved, self._save = taken, saved, save
        self._signals: list[int] = []  # in order of arrival
        self._stopping = False

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """Record signals while it lasts."""
        may_be_ignored = (signal.SIGINT, signal.SIGHUP)
        heard = (number for number in may_be_ignored if signal.getsignal(number) is not signal.SIG_IGN)
        numbers = [signal.SIGTERM, *heard]
        previous = {number: signal.signal(number, self._heed) for number in numbers}
        try:
            yield
        finally:
            if not self._stopping:  # otherwise the process ends after it has released its checkpoints
                for number, handler in previous.items():
                    signal.signal(number, handler)

    def if_asked(self) -> None:
        """Stop if a signal has arrived.

        Raises:
            SystemExit: 130 on SIGINT, 143 on SIGTERM and SIGHUP, after a checkpoint is committed.
        """
        if self._signals:
            self._stop()

    def _heed(self, number: int, _: object) -> None:
        """Record a signal; training stops after the current call. A second SIGINT ends the process at once."""
        if number == signal.SIGINT and number in self._signals:
            log.error("interrupted before the checkpoint was saved", 130)
            os._exit(130)  # without waiting for other threads
        self._signals.append(number)
        if number == signal.SIGINT and self._taken():
            log.warning("saving; press Ctrl-C again to stop at once")
        # With nothing to save, do not wait for the current call.
        if self._saved() == self._taken() and not self._stopping:
            self._stop()

    def _stop(self) -> NoReturn:
        self._stopping = True
        self._save()
        step = self._taken()
        saved = f"saved at train step {step:,}" if step else "no train step was taken yet, so nothing is saved"
        if self._signals[0] == signal.SIGINT:
            log.warning(f"interrupted; {saved}")
            raise SystemExit(128 + signal.SIGINT)
        log.warning(f"stopped by {signal.Signals(self._signals[0]).name}; {saved}")
        raise SystemExit(128 + signal.SIGTERM)
