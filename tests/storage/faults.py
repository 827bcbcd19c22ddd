"""What goes wrong between a store and its client, as a test says."""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Faults:
    """What is to go wrong, in turn; and what was asked for, as "METHOD path?query" and what `described` adds."""

    seen: list[str] = field(default_factory=list)
    _waiting: list[tuple[Callable[[str], bool], str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _back_at: float = 0.0
    _latency: float = 0.0
    _late: str = ""
    released: threading.Event = field(default_factory=threading.Event)

    def add(self, fault: str, when: str = "", *, times: int = 1) -> None:
        """Answer the next `times` requests that match the regular expression `when` with a fault.

        A number is that status. "reset": the connection breaks before the request gets through; "lost": after it;
        "stall": no answer comes; "flip": one bit of the body is wrong; "cut": the body breaks off in the middle;
        "short": half the body comes as if it were all; "damage": one bit of what is sent is wrong.
        """
        with self._lock:
            self._waiting += [(lambda request: re.search(when, request) is not None, fault)] * times

    def go_away(self, seconds: float) -> None:
        """Break all connections from now on, for so long."""
        self._back_at = time.monotonic() + seconds

    def be_late(self, seconds: float, when: str = "") -> None:
        """Hold back each answer to a request that matches for so long."""
        self._latency, self._late = seconds, when

    def take(self, request: str) -> str:
        time.sleep(self._latency if re.search(self._late, request) else 0)
        with self._lock:
            self.seen.append(request)
            if time.monotonic() < self._back_at:
                return "reset"
            for index, (matches, fault) in enumerate(self._waiting):
                if matches(request):
                    del self._waiting[index]
                    return fault
        return ""

    def count(self, when: str) -> int:
        """How many requests so far match."""
        with self._lock:
            return sum(re.search(when, request) is not None for request in self.seen)

    def left(self) -> int:
        """How many faults have met no request."""
        with self._lock:
            return len(self._waiting)

    def clear(self) -> None:
        """Forget everything; stalled requests end."""
        with self._lock:
            self.seen.clear()
            self._waiting.clear()
            self._back_at = self._latency = 0.0
            self.released.set()
            self.released = threading.Event()
