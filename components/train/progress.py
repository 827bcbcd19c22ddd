"""How far training is, and what each train step, epoch and interruption changes of that."""

from dataclasses import dataclass, field

from components.artifacts.typed import Epoch, Point


@dataclass(kw_only=True)
class Progress:
    """The progress of training, besides the variables.

    Attributes:
        train_step: steps taken.
        train_steps: the total number of steps; `minutes`: the time that this number was derived from, or 0.
        epoch_nats, epoch_targets: sum and count of this epoch's training loss so far.
        best_step, best_loss: where the best checkpoint was saved, and its loss in nats.
        history: a row for each epoch that ended.
        curve, curve_nats, curve_targets: the points of this epoch's training curve so far, and the sum and count of
            the training loss since the last of them.
        started_from: the digest of the model whose weights training began with; empty if with new ones.
        resumed_at: the train steps at which training was resumed.
        device: the device that training computes on, for people.
        seconds: wall time so far; `step_seconds` and `step_tokens`: of train steps alone, for the speed.
    """

    train_step: int = 0
    train_steps: int = 0
    minutes: float = 0.0
    epoch_nats: float = 0.0
    epoch_targets: int = 0
    best_step: int = -1
    best_loss: float | None = None
    history: list[Epoch] = field(default_factory=list)
    curve: list[Point] = field(default_factory=list)
    curve_nats: float = 0.0
    curve_targets: int = 0
    started_from: str = ""
    resumed_at: list[int] = field(default_factory=list)
    device: str = ""
    seconds: float = 0.0
    step_seconds: float = 0.0
    step_tokens: int = 0

    @property
    def epoch_loss(self) -> float:
        """The training loss of this epoch so far, in nats per target."""
        return self.epoch_nats / self.epoch_targets

    @property
    def tokens_per_second(self) -> float:
        """The speed of train steps alone; 0 where none was timed."""
        return self.step_tokens / self.step_seconds if self.step_seconds else 0.0

    @property
    def last_row_at(self) -> int:
        """The train step of the history's last row; 0 where there is none."""
        return self.history[-1]["train_step"] if self.history else 0

    @property
    def ended_epoch(self) -> int | None:
        """The epoch that ended with the last train step and has its row; None within an epoch."""
        return self.history[-1]["epoch"] if self.history and self.last_row_at == self.train_step else None

    def ends_of_epochs(self, every: int) -> set[int]:
        """The train steps at which each `every`-th epoch ended so far; none for 0."""
        # The last epoch of a training that was then continued has two rows, of which the later one is its end.
        ends = {row["epoch"]: row["train_step"] for row in self.history}
        return {train_step for epoch, train_step in ends.items() if every and epoch % every == 0}

    def take(self, steps: int, nats: float, targets: int) -> None:
        """Note train steps, with the sum and count of their loss."""
        self.train_step += steps
        self.epoch_nats += nats
        self.epoch_targets += targets
        self.curve_nats += nats
        self.curve_targets += targets

    def add_to_curve(self, *, learning_rate: float, tokens_per_second: float | None, seconds: float) -> None:
        """Add a point with the training loss since the last one; points depend on train steps alone."""
        self.curve.append(
            {
                "train_step": self.train_step,
                "train_loss_nats": self.curve_nats / self.curve_targets,
                "learning_rate": learning_rate,
                "tokens_per_second": tokens_per_second,
                "seconds": seconds,
            }
        )
        self.curve_nats, self.curve_targets = 0.0, 0

    def note_loss(self, loss: float) -> None:
        """Note the loss that models are chosen by; the lowest one's train step is the best."""
        if self.best_loss is None or loss < self.best_loss:
            self.best_loss, self.best_step = loss, self.train_step

    def row(self, epoch: int, validation_loss: float | None, seconds: float) -> Epoch:
        """The history's row of an epoch that has ended."""
        reported = sum(len(row.get("resumed_at", [])) for row in self.history)
        return {
            "epoch": epoch,
            "train_step": self.train_step,
            "train_loss_nats": self.epoch_loss,
            "validation_loss_nats": validation_loss,
            "tokens_per_second": self.tokens_per_second,
            "seconds": seconds,
            "curve": self.curve,
            "resumed_at": self.resumed_at[reported:],
        }

    def end_epoch(self, row: Epoch) -> None:
        """Add an epoch's row to the history, and begin another epoch."""
        self.history.append(row)
        self.epoch_nats, self.epoch_targets, self.curve = 0.0, 0, []
