"""Whether a bucket's server can be reached: said when it can't for a while and is asked again, and when it is back."""

import functools
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from components.artifacts.storage.failures import network_cause, passes

TOLD_AFTER_SECONDS = 1.5
"""How long requests may fail without a word: a single refusal is of no interest."""
SILENT_SECONDS = 5.0
"""How long a server may take over a small request until that is told; one that is always slow, twice its time."""
SMALL_BYTES = 1 << 20
"""A larger request takes as long as the network does."""

_LOGGER = logging.getLogger("quillflow")


class Contact:
    """Looks on as all threads' requests to one bucket are sent, and tells how they fare.

    `for_seconds` says how long a request is made again, of a server that has answered before or never has; `may_pass`
    whether it is, after an error.
    """

    def __init__(
        self, uri: str, for_seconds: Callable[[bool], float], may_pass: Callable[[Exception], bool] = lambda _: True
    ) -> None:
        self.heard = False
        self._uri, self._for_seconds, self._may_pass = uri, for_seconds, may_pass
        self._bears = SILENT_SECONDS
        self._failing_since: float | None = None
        self._told = False
        self._turn = threading.Lock()

    def watch(self, session: Any) -> None:
        """Look on as a session of requests' or botocore's sends its requests."""
        session.send = functools.partial(self._send, session.send)

    def _send(self, send: Callable[..., Any], request: Any, **options: Any) -> Any:
        """What `send` does, which sends a request once."""
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
            if self._told or time.monotonic() - self._failing_since < TOLD_AFTER_SECONDS:
                return
            self._told = True
        seconds = self._for_seconds(self.heard)
        _LOGGER.warning("%s: can't be reached (%s); trying again for up to %.0f s", self._uri, why, seconds)

    def _answered(self, began: float) -> None:
        now = time.monotonic()
        with self._turn:
            self._bears = max(self._bears, 2 * (now - began))
            since, told = self._failing_since, self._told
            self._failing_since, self._told = None, False
        if told and since is not None:
            _LOGGER.info("%s: answers again, after %.0f s", self._uri, now - since)
