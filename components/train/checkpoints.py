"""Checkpoints: all that training resumes from, in immutable directories named by their train step.

A checkpoint counts once its manifest exists, which is written last and never replaces another. `LATEST` names the
newest, is updated by compare-and-swap, and is a hint: restoring takes the newest checkpoint that verifies.
"""

import io
import json
import re
import secrets
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.artifacts import storage
from components.artifacts.as_json import as_json
from components.artifacts.errors import ArtifactError, UsageError
from components.artifacts.manifest import MANIFEST_NAME, Manifest, is_temporary, read_manifest, write_manifest
from components.artifacts.storage import ABSENT
from components.command import log
from components.train import live
from components.train.committed import NAME, committed, step_of, what_is_at
from components.train.config import UNCHANGED_BY, TrainConfig
from components.train.ownership import OWNER_NAME, Ownership, is_owners_note
from components.train.progress import Progress

LATEST_NAME = "LATEST"
_TEMPORARY = re.compile(rf"\.(?:{LATEST_NAME}|{OWNER_NAME}|{live.LIVE_NAME})\.(?:[0-9a-f]{{8}}\.partial|lock)")
_VARIABLES = "variables.npz"
_PROGRESS = "progress.json"
_FILES = (MANIFEST_NAME, _VARIABLES, _PROGRESS)


Saved = tuple[Progress, list[NDArray[Any]]]


class Checkpoints:
    """The checkpoints at a URI, of one run of training."""

    def __init__(self, uri: str, config: TrainConfig, dataset_digest: str) -> None:
        self._place = storage.place_of(uri)
        self._config = config
        self._dataset = dataset_digest

    def save(self, progress: Progress, values: list[NDArray[Any]], ownership: Ownership) -> None:
        """Commit a checkpoint, and remove those that are neither among the newest, nor the best, nor to be kept."""
        name = f"{progress.train_step:010d}-{secrets.token_hex(4)}"
        with storage.outgoing(str(self._place / name), "checkpoint") as directory:
            buffer = io.BytesIO()
            np.savez(buffer, allow_pickle=False, **{f"{index:05d}": value for index, value in enumerate(values)})
            (directory / _VARIABLES).write_bytes(buffer.getvalue())
            (directory / _PROGRESS).write_text(as_json(asdict(progress)), encoding="utf-8")
            write_manifest(
                directory,
                kind="checkpoint",
                stage="train",
                config=self._config.model_dump(mode="json"),
                counts=_counts(progress),
                made_from={"dataset": self._dataset},
            )
            ownership.check()
        ownership.check()
        self._point_latest_at(name)
        self._drop_superseded(name, progress)

    def newest(self) -> Saved | None:
        """The newest checkpoint that verifies, or None if none was ever committed.

        Raises:
            ArtifactError: there are checkpoints but none can be read; training never silently starts over.
            UsageError: the newest was made with other settings or data.
        """
        names = committed(self._place)
        found = self._first_readable(names)
        if found is None and (names or storage.read_file(str(self._place / LATEST_NAME)) is not None):
            raise ArtifactError(
                f"{self._place}: none of its checkpoints can be read; fix the storage, or set train.start_anew to "
                "start at step 0"
            )
        return found

    def existing(self) -> Saved:
        """The newest checkpoint that verifies; there must be one.

        Raises:
            ArtifactError, UsageError: as `newest`.
            UsageError: none was ever committed here; the error says what is here, and where checkpoints are.
        """
        found = self.newest()
        if found is None:
            raise UsageError(f"train.init_from: {self._place} {what_is_at(self._place)}")
        return found

    def has(self, train_step: int) -> bool:
        """Whether a checkpoint of a train step was committed here, even if it is damaged."""
        return any(step_of(name) == train_step for name in committed(self._place))

    def at(self, train_step: int) -> Saved | None:
        """The checkpoint of a train step, or None if there is none that can be read."""
        return self._first_readable([name for name in committed(self._place) if step_of(name) == train_step])

    def refuse_foreign(self) -> None:
        """Reject a place that holds anything but checkpoints, before anything is written or removed there.

        Raises:
            UsageError: it does; everything is left alone.
        """
        for name in storage.entries(str(self._place)):
            if foreign := self._foreign_in(name):
                raise UsageError(
                    f"{self._place}: holds {foreign}, which is not a checkpoint's; checkpoints need a place of their "
                    "own, choose another"
                )

    def clear(self) -> None:
        """Remove all checkpoints, also incomplete ones."""
        for name in (LATEST_NAME, live.LIVE_NAME):
            self._place.store.delete((self._place / name).key)
        for name in storage.children(str(self._place)):
            if _checkpoint_of(name):
                self._remove(name)

    def sweep(self) -> None:
        """Remove checkpoints that a killed trainer did not commit; only the owner may."""
        names = set(committed(self._place))
        for name in storage.children(str(self._place)):
            if name not in names and _checkpoint_of(name):
                self._remove(name)

    def _remove(self, name: str) -> None:
        storage.remove(str(self._place / name), _FILES)

    def _foreign_in(self, name: str) -> str:
        """The name, or one below it, of something here that training did not write; "" if there is none."""
        if name in {LATEST_NAME, OWNER_NAME}:
            data, _ = storage.read_file(str(self._place / name)) or (b"", "")
            is_ours = is_owners_note(data) if name == OWNER_NAME else NAME.fullmatch(data.decode(errors="replace")[:-1])
            return "" if is_ours else name
        if name in {live.LIVE_NAME, live.FOLDER}:
            return live.foreign_in(self._place, name)
        if not _checkpoint_of(name):
            return "" if _TEMPORARY.fullmatch(name) else name
        inside = storage.entries(str(self._place / name))
        return next((f"{name}/{file}" for file in inside if not (file in _FILES or is_temporary(file))), "")

    def _first_readable(self, names: list[str]) -> Saved | None:
        for name in names:
            try:
                return self.read(name)
            except ArtifactError as error:
                log.warning(f"skipped a checkpoint: {error}")
        return None

    def read(self, name: str) -> Saved:
        """The checkpoint of this name.

        Raises:
            ArtifactError: it is missing or damaged.
            UsageError: it was made with other settings or data.
        """
        with storage.incoming(str(self._place / name), "checkpoint") as directory:
            self._check_settings(read_manifest(directory))
            progress = Progress(**json.loads((directory / _PROGRESS).read_bytes()))
            with np.load(directory / _VARIABLES, allow_pickle=False) as arrays:
                return progress, [arrays[key] for key in sorted(arrays.files)]

    def _check_settings(self, saved: Manifest) -> None:
        """Refuse to resume with settings or data that would have changed the steps already taken."""
        advice = "; use the old value, choose another place, or set train.start_anew"
        for name, value in self._config.model_dump(mode="json").items():
            before = saved.config.get(name, TrainConfig.model_fields[name].default)
            if name not in UNCHANGED_BY and before != value:
                raise UsageError(f"{self._place}: train.{name} was {before!r} there, now it is {value!r}{advice}")
        if saved.made_from.get("dataset") != self._dataset:
            raise UsageError(f"{self._place}: these checkpoints were trained on another dataset{advice}")

    def _point_latest_at(self, name: str) -> None:
        latest = str(self._place / LATEST_NAME)
        found = storage.read_file(latest)
        storage.write_file(latest, f"{name}\n".encode(), expected=found[1] if found else ABSENT)

    def _drop_superseded(self, newest: str, progress: Progress) -> None:
        names = committed(self._place)
        steps = sorted(set(map(step_of, names)), reverse=True)
        of_epochs = progress.ends_of_epochs(self._config.keep_every)
        kept = {*steps[: self._config.keep_checkpoints], progress.best_step, *of_epochs}
        for name in names:
            # One with the same train step was saved before the total number was known.
            if step_of(name) not in kept or (step_of(name) == step_of(newest) and name != newest):
                self._remove(name)


def _checkpoint_of(name: str) -> str:
    """The checkpoint whose directory, or temporary directory, has this name; "" for none."""
    checkpoint = storage.staged_artifact(name) or name
    return checkpoint if NAME.fullmatch(checkpoint) else ""


def _counts(progress: Progress) -> dict[str, int]:
    counts = {"train_step": progress.train_step, "train_steps": progress.train_steps}
    return counts if progress.ended_epoch is None else {**counts, "epoch": progress.ended_epoch}
