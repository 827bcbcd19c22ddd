"""A training's history as plots: the model artifact's history.jsonl, one row an epoch."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from components.artifacts.plots import Series, lines

_HOUR, _MINUTE = 3600, 60
_LONG = 3  # from so many of a unit on, time is told in it

Row = Mapping[str, Any]


def points_of(history: Sequence[Row]) -> list[Row]:
    """The training curve's points, epoch by epoch."""
    return [point for row in history for point in row["curve"]]


def bits_per_character(nats: float, tokens_a_character: float) -> float:
    """A loss in nats per token as bits per character."""
    return nats * tokens_a_character / math.log(2)


def loss_plots(history: Sequence[Row], tokens_a_character: float) -> dict[str, Markup]:
    """Training and held-out loss against train steps and against time, in nats per token and bits per character."""
    unit, seconds_a_unit = _unit_of_time(history[-1]["seconds"])
    return {
        "Loss by train step": _losses(history, tokens_a_character, "train_step", 1, "train step"),
        "Loss by time": _losses(history, tokens_a_character, "seconds", seconds_a_unit, unit),
    }


def pace_plots(history: Sequence[Row]) -> dict[str, Markup]:
    """The learning rate against train steps, and tokens per second against time."""
    unit, seconds_a_unit = _unit_of_time(history[-1]["seconds"])
    points = points_of(history)
    rate = Series(
        name="learning rate",
        x=[point["train_step"] for point in points],
        y=[point["learning_rate"] for point in points],
    )
    timed = [point for point in points if point["tokens_per_second"] is not None]
    speed = Series(
        name="speed",
        x=[point["seconds"] / seconds_a_unit for point in timed],
        y=[point["tokens_per_second"] for point in timed],
    )
    plots = {"Learning rate": lines([rate], x_label="train step", y_label="learning rate")}
    if timed:
        plots["Speed"] = lines([speed], x_label=unit, y_label="tokens per second")
    return plots


def _losses(history: Sequence[Row], tokens_a_character: float, by: str, scale: float, x_label: str) -> Markup:
    held_out = [row for row in history if row["validation_loss_nats"] is not None]
    points = points_of(history)
    series = [
        Series(
            name="training",
            x=[point[by] / scale for point in points],
            y=[point["train_loss_nats"] for point in points],
        ),
        Series(
            name="held-out",
            x=[row[by] / scale for row in held_out],
            y=[row["validation_loss_nats"] for row in held_out],
            dots=True,
        ),
    ]
    return lines(
        series if held_out else series[:1],
        x_label=x_label,
        y_label="nats per token",
        marks=[place / scale for place in _resumed(history, by)],
        second_axis=("bits per character", bits_per_character(1, tokens_a_character)),
    )


def _resumed(history: Sequence[Row], by: str) -> list[float]:
    """Where training was taken up again: the last point of the curve at or before each of those train steps."""
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
