"""The combinations of settings that a sweep goes through, and how they ended."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, get_origin

from components.artifacts.errors import UsageError
from components.command.settings import Settings
from components.steps import STAGES
from pipelines.inputs.settings import Recipe, settings_of


@dataclass(frozen=True, kw_only=True)
class Combination:
    """One combination: what it is known by (`train.units=128 train.dropout=0.1`), and each stage's settings."""

    label: str
    settings: Mapping[str, Settings]


@dataclass(frozen=True, kw_only=True)
class Swept:
    """How a sweep's combinations ended, each known by its label.

    Attributes:
        made: the labels of the runs that succeeded, by the run's name or id.
        failed: why a run failed, by its label.
        left: those that the time did not suffice for.
    """

    made: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {"made": self.made, "failed": self.failed, "left": self.left}


def combinations(chosen: Recipe, assignments: Sequence[str]) -> list[Combination]:
    """Every combination of the values that the assignments give, in their order, the last one changing fastest.

    Commas separate alternatives (`train.units=128,256`), except in settings that take a list or text.

    Raises:
        UsageError: an assignment is malformed or wrong, gives a value twice, or none gives alternatives.
    """
    alternatives = [list(_alternatives(assignment)) for assignment in assignments]
    if all(len(some) == 1 for some in alternatives):
        raise UsageError("a sweep needs a setting with several values, such as --set train.units=128,256")
    found = []
    for combined in product(*alternatives):
        varied = [one for one, some in zip(combined, alternatives, strict=True) if len(some) > 1]
        found.append(Combination(label=" ".join(varied), settings=settings_of(chosen, combined)))
    return found


def _alternatives(assignment: str) -> Iterator[str]:
    """The assignment once for each of its values."""
    place, equals, values = assignment.partition("=")
    if not equals or _takes_commas(place):
        yield assignment
        return
    seen = set()
    for value in (part.strip() for part in values.split(",")):
        if value in seen:
            raise UsageError(f"--set {assignment}: {value} is there twice; give each value once")
        seen.add(value)
        yield f"{place}={value}"


def _takes_commas(place: str) -> bool:
    """Whether a comma is part of the setting's value. Unknown settings are refused by `settings_of`."""
    stage, _, name = place.partition(".")
    fields = STAGES[stage].settings.model_fields if stage in STAGES else {}
    kind = fields[name].annotation if name in fields else None
    return kind is str or get_origin(kind) is tuple
