"""Saving in parallel with training: values are copied, then committed by a separate thread."""

import json
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from typing import Any, Self

from numpy.typing import NDArray

from components.artifacts.as_json import as_json
from components.train.checkpoints import Checkpoints
from components.train.ownership import Ownership
from components.train.progress import Progress
from components.train.showing import LiveView


class Saver:
    """Commits checkpoints in parallel with training, one at a time; a failure is raised at the next save or the end."""

    def __init__(self, checkpoints: Checkpoints, ownership: Ownership, live: LiveView) -> None:
        self._checkpoints = checkpoints
        self._ownership = ownership
        self._live = live
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._pending: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self.wait()
        finally:
            self._worker.shutdown()

    def save(self, progress: Progress, values: list[NDArray[Any]], seconds_left: float | None = None) -> None:
        """Commit copies of the progress and values, and show how far training is; waits for the previous checkpoint."""
        self.wait()
        frozen = Progress(**json.loads(as_json(asdict(progress))))
        self._pending = self._worker.submit(self._commit, frozen, values, seconds_left)

    def _commit(self, progress: Progress, values: list[NDArray[Any]], seconds_left: float | None) -> None:
        self._checkpoints.save(progress, values, self._ownership)
        self._live.show(progress, seconds_left)

    def wait(self) -> None:
        """Wait until everything is committed; raise any failure."""
        if self._pending is not None:
            self._pending.result()
            self._pending = None
