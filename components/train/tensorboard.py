"""The history as TensorBoard's event logs: a run `training` and a run `held_out` with the same tags.

An event file is TFRecords of `Event` messages. It is written from the history at the end, so a resumed run has one
continuous log; an event's wall time is the seconds that training had taken.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from components.artifacts.curves import points_of
from components.artifacts.tensorflow import tf
from components.artifacts.typed import Epoch, Point
from components.artifacts.units import bits_per_character

FILE_NAME = "events.out.tfevents.0.quillflow"
_VERSION = "brain.Event:2"  # TensorBoard recognizes the file's format by this


def write_events(directory: Path, history: Sequence[Epoch], tokens_a_character: float) -> None:
    """Write the logs into `directory`, a folder per run."""
    training = [
        (
            point,
            {
                **_losses(point["train_loss_nats"], tokens_a_character),
                "learning_rate": point["learning_rate"],
                "tokens_per_second": point["tokens_per_second"],
            },
        )
        for point in points_of(history)
    ]
    held_out = [(row, _losses(row["validation_loss_nats"], tokens_a_character)) for row in history]
    for name, rows in (("training", training), ("held_out", held_out)):
        (directory / name).mkdir(parents=True)
        with tf.io.TFRecordWriter(str(directory / name / FILE_NAME)) as file:
            for event in _events(rows):
                file.write(event.SerializeToString())


def _losses(nats: float | None, tokens_a_character: float) -> dict[str, float | None]:
    bits = None if nats is None else bits_per_character(nats, tokens_a_character)
    return {"loss/nats_per_token": nats, "loss/bits_per_character": bits}


def _events(rows: Sequence[tuple[Epoch | Point, Mapping[str, float | None]]]) -> Iterator[Any]:
    yield tf.compat.v1.Event(file_version=_VERSION)
    for row, scalars in rows:
        values = [
            tf.compat.v1.Summary.Value(tag=tag, simple_value=value)
            for tag, value in scalars.items()
            if value is not None
        ]
        if values:
            summary = tf.compat.v1.Summary(value=values)
            yield tf.compat.v1.Event(wall_time=row["seconds"], step=row["train_step"], summary=summary)
