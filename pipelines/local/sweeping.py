"""The runs of a sweep on this machine, one after the other: each may use all of it."""

import time
from collections.abc import Sequence
from typing import Any

from components.artifacts.errors import QuillflowError
from components.command import log
from pipelines.inputs.combinations import Combination, Swept
from pipelines.local.ending import INTERRUPTED, TERMINATED
from pipelines.local.running import run_pipeline


def sweep_here(wanted: Sequence[Combination], budget: float | None, source: str, root: str, **how: Any) -> Swept:
    """Run every combination; one that fails does not keep the others from running.

    No run is begun that would exceed `budget` seconds if it took as long as the longest so far; `how` is what
    `run_pipeline` takes besides.

    Raises:
        RunError: a signal stopped a run, which ends the sweep.
    """
    began, longest, swept = time.monotonic(), 0.0, Swept()
    for number, one in enumerate(wanted, 1):
        started = time.monotonic()
        if budget is not None and started - began + longest > budget:
            swept.left.append(one.label)
            continue
        log.info(f"Run {number} of {len(wanted)}: {one.label}")
        try:
            swept.made[run_pipeline(source, one.settings, root, **how).name] = one.label
        except QuillflowError as error:
            if error.exit_code in (INTERRUPTED, TERMINATED):
                raise
            log.warning(f"{one.label}: {error}")
            swept.failed[one.label] = str(error)
        longest = max(longest, time.monotonic() - started)
    return swept
