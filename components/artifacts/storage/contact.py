"""Reports when a bucket's server can't be reached for a while, and when it responds again."""

import functools
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from components.artifacts.storage.failures import network_cause, passes

REPORTED_AFTER_SECONDS = 1.5
"""How long requests may fail before it is reported: a single failure is not."""
SILENT_SECONDS = 5.0
"""How long a server may take for a small request before it is reported; for a slow server twice its usual time."""
SMALL_BYTES = 1 << 20
"""Larger requests depend on the network's speed."""

_LOGGER = logging.getLogger("quillflow")


class Contact:
    """Watches all threads' requests to one bucket, and reports how they fare.

    `for_seconds` says how long a request is retried, for a server that has responded before and one that never has;
    `may_pass` says whether it is retried after an error.
    """

    def __init__(
        self, uri: str, for_seconds: Callable[[bool], float], may_pass: Callable[[Exception], bool] = lambda _: True
    ) -> None:
        self.heard = False
        self._uri, self._for_seconds, self._may_pass = uri, for_seconds, may_pass
        self._bears = SILENT_SECONDS
        self._failing_since: float | None = None
        self._reported = False
        self._turn = threading.Lock()

    def watch(self, session: Any) -> None:
        """Watch the requests of a session of requests or botocore."""
        session.send = functools.partial(self._send, session.send)

    def _send(self, send: Callable[..., Any], request: Any, **options: Any) -> Any:
        """Call `send`, which sends a request once."""
        began = time.monotonic()
        watch = threading.Timer(self._bears, self._failed, [began, f"no answer for {self._bears:.0f} s"])
        watch.daemon = True
        if int(request.headers.get("Content-Length") or 0) < SMALL_BYTES:
            watch.start()
        try:
            answer = send(request, **options)
        except Exception as error:
            if self._may_pass(error):
                self._failed(began, network_cause(error))
            raise
        finally:
            watch.cancel()
        self.heard = True
        if passes(answer.status_code):
            self._failed(began, f"it answers {answer.status_code}")
        else:
            self._answered(began)
        return answer

    def _failed(self, began: float, why: str) -> None:
        with self._turn:
            self._failing_since = min(began, self._failing_since or began)
            if self._reported or time.monotonic() - self._failing_since < REPORTED_AFTER_SECONDS:
                return
            self._reported = True
        seconds = self._for_seconds(self.heard)
        _LOGGER.warning("%s: can't be reached (%s); trying again for up to %.0f s", self._uri, why, seconds)

    def _answered(self, began: float) -> None:
        now = time.monotonic()
        with self._turn:
            self._bears = max(self._bears, 2 * (now - began))
            since, reported = self._failing_since, self._reported
            self._failing_since, self._reported = None, False
        if reported and since is not None:
            _LOGGER.info("%s: answers again, after %.0f s", self._uri, now - since)
