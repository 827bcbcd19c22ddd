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


class Saver:
    """Commits checkpoints in parallel with training, one at a time; a failure is raised at the next save or the end."""

    def __init__(self, checkpoints: Checkpoints, ownership: Ownership) -> None:
        self._checkpoints = checkpoints
        self._ownership = ownership
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

    def save(self, progress: Progress, values: list[NDArray[Any]]) -> None:
        """Commit copies of the progress and values; waits for the previous checkpoint."""
        self.wait()
        frozen = Progress(**json.loads(as_json(asdict(progress))))
        self._pending = self._worker.submit(self._checkpoints.save, frozen, values, self._ownership)

    def wait(self) -> None:
        """Wait until everything is committed; raise any failure."""
        if self._pending is not None:
            self._pending.result()
            self._pending = None
