"""Training that saves when the process that started it is gone.

When a Kubeflow pod is deleted, only Kubeflow's launcher receives SIGTERM; it exits at once and passes nothing on. The
pod then ends soon, and the only sign of it is that the launcher, a few processes above this one, is gone.
"""

import os
import signal
import threading
import time

from components.artifacts.machine import processes_above
from components.command import log

POLL_SECONDS = 0.1


def stop_when_orphaned() -> None:
    """From now on, send this process SIGTERM when a process above it is gone; on SIGTERM training saves."""
    threading.Thread(target=_watch, args=(processes_above(),), daemon=True, name="orphaned").start()


def _watch(above: list[int]) -> None:
    while processes_above() == above:
        time.sleep(POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    log.warning("the process that started this one is gone, as when a pod is deleted: stopping")
