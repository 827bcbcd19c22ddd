"""Checkpoints: all that training goes on from, in immutable directories named by their train step.

A checkpoint counts once its manifest is there, and the manifest is written last; `LATEST` names the
newest for people and is no more than a hint. Restoring takes the newest that verifies.
"""

import io
import json
import re
import secrets
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.artifacts import storage
from components.artifacts.errors import ArtifactError, UsageError
from components.artifacts.manifest import write_manifest
from components.command import log
from components.train.config import UNCHANGED_BY, TrainConfig

_NAME = re.compile(r"(?P<step>\d+)-[0-9a-f]{8}")
_VARIABLES = "variables.npz"
_PROGRESS = "progress.json"


@dataclass(kw_only=True)
class Progress:
    """How far training is, besides the variables.

    Attributes:
        train_step: steps taken.
        epoch_nats, epoch_targets: sum and count of this epoch's training loss so far.
        best_step, best_loss: where the best checkpoint was saved, and its loss in nats.
        history: a row for each epoch that ended.
        seconds: wall time so far; `step_seconds` and `step_tokens`: of train steps alone, for the speed.
    """

    train_step: int = 0
    epoch_nats: float = 0.0
    epoch_targets: int = 0
    best_step: int = -1
    best_loss: float | None = None
    history: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    step_seconds: float = 0.0
    step_tokens: int = 0


class Checkpoints:
    """The checkpoints at a URI, of one run of training."""

    def __init__(self, uri: str, config: TrainConfig, dataset_digest: str) -> None:
        self._uri = uri
        self._config = config
        self._dataset = dataset_digest

    def save(self, progress: Progress, values: list[NDArray[Any]]) -> None:
        """Save a checkpoint and drop those that are neither among the newest nor the best."""
        name = f"{progress.train_step:010d}-{secrets.token_hex(4)}"
        with storage.outgoing(storage.join(self._uri, name)) as directory:
            buffer = io.BytesIO()
            np.savez(buffer, allow_pickle=False, **{f"{index:05d}": value for index, value in enumerate(values)})
            (directory / _VARIABLES).write_bytes(buffer.getvalue())
            (directory / _PROGRESS).write_text(json.dumps(asdict(progress)), encoding="utf-8")
            write_manifest(
                directory,
                kind="checkpoint",
                stage="train",
                config=self._config.model_dump(mode="json"),
                counts={"train_step": progress.train_step},
                made_from={"dataset": self._dataset},
            )
        storage.write_file(storage.join(self._uri, "LATEST"), f"{name}\n".encode())
        self._drop_superseded(progress.best_step)

    def newest(self) -> tuple[Progress, list[NDArray[Any]]] | None:
        """The newest checkpoint that verifies, or None where there is none at all.

        Raises:
            ArtifactError: there are checkpoints but none can be read; training never silently starts at zero.
            UsageError: the newest was made with other settings or data.
        """
        return self._first_readable(self._names())

    def at(self, train_step: int) -> tuple[Progress, list[NDArray[Any]]] | None:
        """The checkpoint of a train step, or None where there is none."""
        return self._first_readable([name for name in self._names() if _step(name) == train_step])

    def clear(self) -> None:
        """Remove all checkpoints."""
        for name in self._names():
            storage.remove(storage.join(self._uri, name))

    def _names(self) -> list[str]:
        """Newest first, by train step, which no clock can upset."""
        names = [name for name in storage.children(self._uri) if _NAME.fullmatch(name)]
        return sorted(names, key=lambda name: (_step(name), name), reverse=True)

    def _first_readable(self, names: list[str]) -> tuple[Progress, list[NDArray[Any]]] | None:
        for name in names:
            try:
                return self._read(name)
            except ArtifactError as error:
                log.warning(f"checkpoint passed over: {error}")
        if names:
            raise ArtifactError(
                f"{self._uri}: none of its {len(names)} checkpoints can be read; mend the storage, or set "
                "train.start_anew to begin at step 0"
            )
        return None

    def _read(self, name: str) -> tuple[Progress, list[NDArray[Any]]]:
        with storage.incoming(storage.join(self._uri, name), "checkpoint") as directory:
            saved = json.loads((directory / "manifest.json").read_bytes())
            self._check_settings(saved)
            progress = Progress(**json.loads((directory / _PROGRESS).read_bytes()))
            with np.load(directory / _VARIABLES, allow_pickle=False) as arrays:
                return progress, [arrays[key] for key in sorted(arrays.files)]

    def _check_settings(self, saved: dict[str, Any]) -> None:
        """Refuse to go on with anything that would have changed the steps already taken."""
        anew = "; go on with the old value, choose another place, or set train.start_anew"
        for name, value in self._config.model_dump(mode="json").items():
            before = saved["config"].get(name, TrainConfig.model_fields[name].default)
            if name not in UNCHANGED_BY and before != value:
                raise UsageError(f"{self._uri}: train.{name} was {before!r} there, now it is {value!r}{anew}")
        if saved["made_from"].get("dataset") != self._dataset:
            raise UsageError(f"{self._uri}: these checkpoints were trained on another dataset{anew}")

    def _drop_superseded(self, best_step: int) -> None:
        steps = sorted({_step(name) for name in self._names()}, reverse=True)
        kept = {*steps[: self._config.keep_checkpoints], best_step}
        for name in self._names():
            if _step(name) not in kept:
                storage.remove(storage.join(self._uri, name))


def _step(name: str) -> int:
    return int(name.partition("-")[0])
