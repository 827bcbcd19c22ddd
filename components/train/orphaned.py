"""Training that saves when those who started it are gone.

When a Kubeflow pod is deleted SIGTERM reaches Kubeflow's launcher alone, which dies at once and passes nothing on.
What is left of the pod's life is short, and all that tells of it is that the launcher is gone: somewhere above this
process, as a shell stands between.
"""

import os
import signal
import threading
import time
from pathlib import Path

from components.command import log

POLL_SECONDS = 0.1


def stop_when_orphaned() -> None:
    """From now on, send this process SIGTERM when one of those above it is gone; at SIGTERM training saves."""
    threading.Thread(target=_watch, args=(_above(),), daemon=True, name="orphaned").start()


def _watch(above: list[int]) -> None:
    while _above() == above:
        time.sleep(POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    log.warning("whoever started this process is gone, as when its pod is deleted: stopping")


def _above() -> list[int]:
    """The processes above this one, by Linux's /proc; elsewhere its parent alone."""
    above = [os.getppid()]
    while above[-1] > 1:
        try:
            stat = Path(f"/proc/{above[-1]}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:  # it has just ended, or this is no Linux
            return above
        above.append(int(stat.rpartition(")")[2].split()[1]))  # after the name come state and parent
    return above
