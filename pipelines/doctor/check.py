"""The result of a check."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pipelines.local.home import home

Verdict = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check: what was found and, if it is not as it should be, what to do."""

    name: str
    verdict: Verdict
    found: str
    advice: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)


def shown(path: Path) -> str:
    """A path relative to the current directory or the user's home."""
    for above, name in ((Path.cwd(), ""), (home(), "~/")):
        if path.is_relative_to(above) and path != above:
            return f"{name}{path.relative_to(above)}"
    return str(path)


def missing(name: str, found: str, advice: str, *, asked: bool) -> Check:
    """The check of something missing: a failure if it was asked for, otherwise a warning."""
    return Check(name=name, verdict="fail" if asked else "warn", found=found, advice=advice)
