"""Shows training while it trains: event files for TensorBoard and progress.json, at the checkpoints' place.

An event file holds what is new since the one before. It is named by its train step and never rewritten, so that a
TensorBoard that has read the others continues with it. They are removed once the model is complete, as it holds all.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from components.artifacts import storage
from components.artifacts.as_json import as_json
from components.artifacts.typed import Live
from components.train.live import FOLDER, LIVE_NAME, RUNS, event_files, event_name
from components.train.progress import Progress
from components.train.tensorboard import event_file, events_of


class LiveView:
    """What others see of the training whose checkpoints are at a URI; only their owner may write it."""

    def __init__(self, checkpoints: str, tokens_a_character: float) -> None:
        self._place = storage.place_of(checkpoints)
        self._tokens_a_character = tokens_a_character
        self._shown_until = dict.fromkeys(RUNS, 0)

    def begin(self, train_step: int) -> None:
        """Go on from a train step: remove the event files of later ones, which will be taken again."""
        self._remove(lambda step: step > train_step)
        for run, step in event_files(self._place).values():
            self._shown_until[run] = max(self._shown_until[run], step)

    def show(self, progress: Progress, seconds_left: float | None) -> None:
        """Write what is new: an event file where there is something, and progress.json."""
        rows = events_of(progress.history, progress.curve, self._tokens_a_character)
        for run, events in rows.items():
            new = [event for event in events if event.step > self._shown_until[run]]
            if new:
                name = f"{FOLDER}/{event_name(run, progress.train_step)}"
                storage.write_file(str(self._place / name), event_file(new))
                self._shown_until[run] = progress.train_step
        storage.write_file(str(self._place / LIVE_NAME), as_json(_live(progress, seconds_left), indent=2).encode())

    def end(self) -> None:
        """Remove the event files: the model has them."""
        self._remove(lambda _: True)

    def _remove(self, chosen: Callable[[int], bool]) -> None:
        names = [name for name, (_, step) in event_files(self._place).items() if chosen(step)]
        if names:
            storage.remove(str(self._place / FOLDER), names)


def _live(progress: Progress, seconds_left: float | None) -> Live:
    last = progress.history[-1] if progress.history else None
    return {
        "train_step": progress.train_step,
        "train_steps": progress.train_steps,
        "train_loss_nats": progress.epoch_loss if progress.epoch_targets else last and last["train_loss_nats"],
        "validation_loss_nats": last and last["validation_loss_nats"],
        "tokens_per_second": progress.tokens_per_second,
        "seconds": progress.seconds,
        "seconds_left": seconds_left,
        "resumed_at": progress.resumed_at,
        "saved_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }
