"""What a check says."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pipelines.local.home import home

Verdict = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at: what was found and, where it is not as it should be, what to do."""

    name: str
    verdict: Verdict
    found: str
    advice: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)


def shown(path: Path) -> str:
    """A path as seen from the current directory or the user's home."""
    for above, name in ((Path.cwd(), ""), (home(), "~/")):
        if path.is_relative_to(above) and path != above:
            return f"{name}{path.relative_to(above)}"
    return str(path)


def missing(name: str, found: str, advice: str, *, asked: bool) -> Check:
    """The check of something that is not there: a failure where it was asked for, else a warning."""
    return Check(name=name, verdict="fail" if asked else "warn", found=found, advice=advice)
