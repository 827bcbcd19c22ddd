"""The history as TensorBoard's event logs: a run `training` and a run `held_out` with the same tags.

An event file is TFRecords of `Event` messages. The model's is written from the history at the end, so a resumed run has
one continuous log; an event's wall time is the seconds that training had taken.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from components.artifacts.curves import points_of
from components.artifacts.tensorflow import tf
from components.artifacts.tfrecord import write_record
from components.artifacts.typed import Epoch, Point
from components.artifacts.units import bits_per_character
from components.train.live import RUNS

FILE_NAME = "events.out.tfevents.0.quillflow"
_Row = tuple[Epoch | Point, Mapping[str, float | None]]
_VERSION = "brain.Event:2"  # TensorBoard recognizes the file's format by this


def write_events(directory: Path, history: Sequence[Epoch], tokens_a_character: float) -> None:
    """Write the logs into `directory`, a folder per run."""
    for run, events in events_of(history, [], tokens_a_character).items():
        (directory / run).mkdir(parents=True)
        (directory / run / FILE_NAME).write_bytes(event_file(events))


def events_of(history: Sequence[Epoch], curve: Sequence[Point], tokens_a_character: float) -> dict[str, list[Any]]:
    """The events of each run; `curve` is that of the epoch which has not ended."""
    training: list[_Row] = [
        (
            point,
            {
                **_losses(point["train_loss_nats"], tokens_a_character),
                "learning_rate": point["learning_rate"],
                "tokens_per_second": point["tokens_per_second"],
            },
        )
        for point in [*points_of(history), *curve]
    ]
    held_out: list[_Row] = [(row, _losses(row["validation_loss_nats"], tokens_a_character)) for row in history]
    return {run: [*_events(rows)] for run, rows in zip(RUNS, (training, held_out), strict=True)}


def event_file(events: Sequence[Any]) -> bytes:
    """The content of an event file."""
    file = io.BytesIO()
    for event in (tf.compat.v1.Event(file_version=_VERSION), *events):
        write_record(file, event.SerializeToString())
    return file.getvalue()


def _losses(nats: float | None, tokens_a_character: float) -> dict[str, float | None]:
    bits = None if nats is None else bits_per_character(nats, tokens_a_character)
    return {"loss/nats_per_token": nats, "loss/bits_per_character": bits}


def _events(rows: Sequence[_Row]) -> Iterator[Any]:
    for row, scalars in rows:
        values = [
            tf.compat.v1.Summary.Value(tag=tag, simple_value=value)
            for tag, value in scalars.items()
            if value is not None
        ]
        if values:
            summary = tf.compat.v1.Summary(value=values)
            yield tf.compat.v1.Event(wall_time=row["seconds"], step=row["train_step"], summary=summary)
