"""What every benchmark shares: a figure with its target, the budget, and paired timing.

Machines are noisy and shared, so two ways are timed in turns, in one run, and compared by the ratio of
their medians.
"""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

Budget = Literal["full", "short"]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the table: what was measured, in which unit, and what it is held to.

    Attributes:
        target: the least (`better` is higher) or the most (lower) that counts as met; None for a figure that
            only informs.
        conditions: what it depends on, in a few words.
        curve: for a plot, loss in nats after seconds of training.
    """

    what: str
    measured: float
    unit: str
    target: float | None = None
    better: Literal["higher", "lower"] = "higher"
    conditions: str = ""
    curve: Sequence[tuple[float, float]] = ()

    @property
    def is_met(self) -> bool:
        """Whether the target is met; a figure without one can't miss it."""
        if self.target is None:
            return True
        return self.measured >= self.target if self.better == "higher" else self.measured <= self.target


def budget() -> Budget:
    """How much time the benchmarks may take: BUDGET=short is ten minutes in all, without it all is run.

    Raises:
        SystemExit: the variable holds something else.
    """
    value = os.environ.get("BUDGET", "full")
    if value in get_args(Budget):
        return cast("Budget", value)
    raise SystemExit(f"BUDGET={value}: write short, or leave it out")


def seconds_of(work: Callable[[], object]) -> float:
    """How long one call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def paired(one: Callable[[], object], other: Callable[[], object], pairs: int) -> tuple[float, float]:
    """The median seconds of each of two ways, timed in turns; call each once beforehand to warm it up."""
    times = [(seconds_of(one), seconds_of(other)) for _ in range(pairs)]
    return statistics.median(first for first, _ in times), statistics.median(second for _, second in times)
