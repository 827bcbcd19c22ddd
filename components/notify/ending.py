"""How a run ended, as its logs and artifacts tell."""

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

from components.artifacts import storage
from components.artifacts.champion import read_if_any
from components.artifacts.storage import Listed, Place

LONGEST_ERROR = 500
_BEFORE_TRAINING = {"ingest", "unchanged", "notify"}
_LOG = re.compile(r"/(?P<task>(?!notify/)[a-z][a-z-]*)/[^/]+/executor-logs(-\d+)?$")  # an attempt of its own is none
_ERROR = re.compile(r"(?:^|\s)error: (?P<said>.+)$")
_KILLED = "killed from outside, usually because it ran out of memory"


@dataclass(frozen=True, kw_only=True)
class Ending:
    """A run that has ended.

    Attributes:
        run: its id.
        name: its name.
        state: succeeded, failed, canceled, or unchanged: it succeeded after ingest, with nothing new to train on.
        stage: the stage that failed, if that is known.
        error: its last error line, or Kubeflow's message.
        bits_per_character: the held-out loss of the model that was trained.
        promoted: whether that model is the champion now; None where none was trained.
        link: where a browser shows the run.
    """

    run: str
    name: str
    state: str
    stage: str = ""
    error: str = ""
    bits_per_character: float | None = None
    promoted: bool | None = None
    link: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The fields that are known."""
        return {name: value for name, value in asdict(self).items() if value not in ("", None)}


def look(root: str, run: str, champion: str, *, failed: bool) -> dict[str, Any]:
    """What the store has about a run that has ended: the fields of Ending that can be read there.

    Raises:
        QuillflowError: the store fails, or holds something damaged.
    """
    for uri in (f"{root}/text-generation/{run}", f"{root}/{run}"):
        place = storage.place_of(uri)
        if listed := list(place.store.list(place.key)):
            return _failure(place, listed) if failed else _success(place, listed, run, champion)
    return {}


def _failure(place: Place, listed: list[Listed]) -> dict[str, Any]:
    """The stage whose log was stored last, which is the one that failed, and its last error line."""
    logs = [(one.updated, one.key, match["task"]) for one in listed if (match := _LOG.search(f"/{one.key}"))]
    if not logs:
        return {}
    _, key, task = max(logs)
    data, _ = place.store.read(key) or (b"", "")
    return {"stage": task.partition("-")[0], "error": _last_error(data.decode(errors="replace").split("\n"))}


def _last_error(lines: list[str]) -> str:
    """The last error in a log's lines, which are for a person or JSON; empty if there is none."""
    for line in reversed(lines):
        if line == "Killed":
            return _KILLED
        if found := _ERROR.search(_message(line)):
            return found["said"][:LONGEST_ERROR]
    return ""


def _message(line: str) -> str:
    try:
        entry = json.loads(line) if line.startswith("{") else None
    except ValueError:
        entry = None
    return str(entry.get("message", "")) if isinstance(entry, dict) else line


def _success(place: Place, listed: list[Listed], run: str, champion: str) -> dict[str, Any]:
    """The model's loss and whether it was promoted; or that it ended before training, since nothing had changed."""
    tasks = {one.key.removeprefix(f"{place.key}/").partition("/")[0] for one in listed}
    if "unchanged" in tasks and tasks <= _BEFORE_TRAINING:
        return {"state": "unchanged"}
    found = next((one.key for one in listed if one.key.endswith("/model/metrics.json")), "")
    data, _ = (place.store.read(found) if found else None) or (b"{}", "")
    bits = json.loads(data).get("validation_bits_per_char")
    pointer = read_if_any(champion) if champion else None
    return {"bits_per_character": bits, "promoted": pointer.run == run if pointer else None}
