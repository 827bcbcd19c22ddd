"""A training's history as plots: the model artifact's history.jsonl, one row an epoch."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from markupsafe import Markup

from components.artifacts.plots import Series, lines
from components.artifacts.typed import Epoch, Point
from components.artifacts.units import bits_per_character

_HOUR, _MINUTE = 3600, 60
_LONG = 3  # time is shown in a unit from this many of it on
_NATS, _BITS = "nats per token", "bits per character"


def points_of(history: Sequence[Epoch]) -> list[Point]:
    """The training curve's points, epoch by epoch."""
    return [point for row in history for point in row["curve"]]


def loss_plots(history: Sequence[Epoch], tokens_a_character: float) -> dict[str, Markup]:
    """Training and held-out loss against train steps and against time, in nats per token and bits per character."""
    return {
        title: lines(
            _losses(history, axis),
            x_label=axis.label,
            y_label=_NATS,
            marks=[place / axis.scale for place in _resumed(history, axis.by)],
            second_axis=(_BITS, bits_per_character(1, tokens_a_character)),
        )
        for title, axis in _axes([history]).items()
    }


def are_in_bits(tokens_a_character: Collection[float | None]) -> bool:
    """Whether losses beside one another are in bits per character: if these differ, and all are known."""
    return len(set(tokens_a_character)) > 1 and None not in tokens_a_character


def compared_loss_plots(
    histories: Mapping[str, Sequence[Epoch]], tokens_a_character: Mapping[str, float | None]
) -> dict[str, Markup]:
    """The losses of several trainings, by name, in one plot against train steps and one against time.

    A training's held-out loss is a solid line and its training loss a dashed one of the same colour. The unit is nats
    per token, or bits per character if the trainings differ in tokens per character (None: unknown).
    """
    known = set(tokens_a_character.values())
    differ = are_in_bits(known)
    bits = {name: bits_per_character(1, tokens) for name, tokens in tokens_a_character.items() if tokens}
    return {
        title: lines(
            [
                line
                for number, (name, history) in enumerate(histories.items())
                for line in _losses_of_one(name, number, history, axis, bits[name] if differ else 1)
            ],
            x_label=axis.label,
            y_label=_BITS if differ else _NATS,
            second_axis=(_BITS, next(iter(bits.values()))) if len(known) == 1 and bits else None,
        )
        for title, axis in _axes(list(histories.values())).items()
    }


def pace_plots(history: Sequence[Epoch]) -> dict[str, Markup]:
    """The learning rate against train steps, and tokens per second against time."""
    unit, seconds_a_unit = _unit_of_time(history[-1]["seconds"])
    points = points_of(history)
    rate = Series(
        name="learning rate",
        x=[point["train_step"] for point in points],
        y=[point["learning_rate"] for point in points],
    )
    speed = Series(
        name="speed",
        x=[point["seconds"] / seconds_a_unit for point in points if point["tokens_per_second"] is not None],
        y=[point["tokens_per_second"] for point in points if point["tokens_per_second"] is not None],
    )
    plots = {"Learning rate": lines([rate], x_label="train step", y_label="learning rate")}
    if speed.y:
        plots["Speed"] = lines([speed], x_label=unit, y_label="tokens per second")
    return plots


@dataclass(frozen=True, kw_only=True)
class _Axis:
    """What losses are drawn against: a row's key, in units of `scale`."""

    by: Literal["train_step", "seconds"]
    label: str
    scale: float = 1


def _axes(histories: Sequence[Sequence[Epoch]]) -> dict[str, _Axis]:
    """Train steps, and time in the unit that suits the longest; by the plot's title."""
    unit, seconds_a_unit = _unit_of_time(max(history[-1]["seconds"] for history in histories))
    return {
        "Loss by train step": _Axis(by="train_step", label="train step"),
        "Loss by time": _Axis(by="seconds", label=unit, scale=seconds_a_unit),
    }


def _losses(history: Sequence[Epoch], axis: _Axis) -> list[Series]:
    """The training loss and, if text is held out, the held-out loss."""
    points = points_of(history)
    training = Series(
        name="training",
        x=[point[axis.by] / axis.scale for point in points],
        y=[point["train_loss_nats"] for point in points],
    )
    validation = Series(
        name="held-out",
        x=[row[axis.by] / axis.scale for row in history if row["validation_loss_nats"] is not None],
        y=[row["validation_loss_nats"] for row in history if row["validation_loss_nats"] is not None],
        dots=True,
    )
    return [training, validation] if validation.y else [training]


def _losses_of_one(name: str, number: int, history: Sequence[Epoch], axis: _Axis, factor: float) -> list[Series]:
    """The losses of one of several trainings, the last of them named, all times a factor."""
    drawn = _losses(history, axis)
    return [
        replace(
            line,
            name=name if line is drawn[-1] else "",
            y=[loss * factor for loss in line.y],
            dashed=line.name == "training",
            colour=number,
        )
        for line in drawn
    ]


def _resumed(history: Sequence[Epoch], by: Literal["train_step", "seconds"]) -> list[float]:
    """Where training was resumed: the last point of the curve at or before each of those train steps."""
    points = points_of(history)
    return [
        max((point[by] for point in points if point["train_step"] <= train_step), default=0)
        for row in history
        for train_step in row["resumed_at"]
    ]


def _unit_of_time(seconds: float) -> tuple[str, float]:
    """The unit that suits a time, and how many seconds it has."""
    if seconds >= _LONG * _HOUR:
        return "hours", _HOUR
    return ("minutes", _MINUTE) if seconds >= _LONG * _MINUTE else ("seconds", 1)
