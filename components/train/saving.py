"""Saving beside training: values are copied, then committed by a thread of its own."""

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
    """Commits checkpoints beside training, one at a time; a failure surfaces at the next save or at the end."""

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
        """Take over copies of how far training is and commit them; waits for the checkpoint before."""
        self.wait()
        frozen = Progress(**json.loads(as_json(asdict(progress))))
        self._pending = self._worker.submit(self._checkpoints.save, frozen, values, self._ownership)

    def wait(self) -> None:
        """Return when nothing is left to commit; raise what went wrong."""
        if self._pending is not None:
            self._pending.result()
            self._pending = None
