"""The order of a sweep's runs."""

from typing import Any

from pipelines.results.comparison import Compared
from pipelines.results.ranking import as_lines, ranked


def run(name: str, bits: float | None, loss: float = 1.0) -> Compared:
    metrics: dict[str, Any] = {"validation_bits_per_char": bits, "train_loss_nats": loss}
    more: Any = {"uris": {}, "settings": {}, "history": [], "samples": [], "tokens_a_character": None}
    return Compared(name=name, metrics=metrics, **more)


def test_the_smallest_held_out_loss_is_first_and_what_held_nothing_out_last() -> None:
    runs = [run("blind", None, 1.5), run("blind but better", None, 0.5), run("worse", 2.5), run("best", 1.5)]
    assert [one.name for one in ranked(runs)] == ["best", "worse", "blind but better", "blind"]


def test_a_line_has_the_rank_the_loss_and_the_settings() -> None:
    lines = as_lines([run("best", 1.5), run("blind", None)], {"best": "train.units=256", "blind": "train.units=128"})
    assert [line.split() for line in lines[1:]] == [
        ["1", "1.5000", "best", "train.units=256"],
        ["2", "none", "held", "out", "blind", "train.units=128"],
    ]
