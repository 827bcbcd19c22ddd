"""The logs that training writes into models, found by listing a root."""

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime

from components.artifacts.layout import run_of
from components.artifacts.manifest import MANIFEST_NAME
from components.artifacts.storage import Listed, Place, place_of

FOLDER = "tensorboard"
_NAME = re.compile(r"\d{4}(?:-\d\d){5}_")
_NAME_BYTES = 255  # the longest name a file can have


@dataclass(frozen=True, kw_only=True)
class Logs:
    """The event files of one model; `files` maps `<log>/<file>` to the store's listing.

    `name` is the time at which the model was complete, then its run, or its path if train was run alone. So a name is
    unique: a model trained again at the same place has another one.
    """

    root: Place
    name: str
    files: dict[str, Listed]

    @property
    def bytes(self) -> int:
        """Size of all the files in bytes."""
        return sum(listed.size for listed in self.files.values())


def logs_below(root: str) -> list[Logs]:
    """The logs of all complete models below a root, from one listing.

    Raises:
        StorageError: the store fails after all retries.
        UsageError: the URI is not of a store.
    """
    place = place_of(root)
    completed: dict[str, float] = {}
    files: defaultdict[str, dict[str, Listed]] = defaultdict(dict)
    for listed in place.store.list(place.key):
        model, folder, file = listed.key.rpartition(f"/{FOLDER}/")
        above, _, name = listed.key.rpartition("/")
        if name == MANIFEST_NAME:
            completed[above] = listed.updated
        elif folder and _is_event_file(file):
            files[model][file] = listed
    return [
        Logs(root=place, name=name, files=found)
        for model, found in files.items()
        if model in completed and _is_safe(name := _name(place, model, completed[model]))
    ]


def is_name(name: str) -> bool:
    """Whether a folder's name has the form of a log's."""
    return bool(_NAME.match(name))


def _name(root: Place, model: str, completed: float) -> str:
    above = root.key.rpartition("/")[0]
    run = run_of(model, "train") or model[len(above) :].strip("/").replace("/", "-")
    return f"{datetime.fromtimestamp(completed, UTC):%Y-%m-%d-%H-%M-%S}_{run}"


def _is_event_file(file: str) -> bool:
    """Whether a path in a model's folder of logs is an event file, as train writes them: `<log>/<file>`."""
    parts = file.split("/")
    return len(parts) == 2 and "tfevents" in parts[1] and all(map(_is_safe, parts))  # noqa: PLR2004 -- a pair


def _is_safe(name: str) -> bool:
    """Whether an object's name can be a file's: a bucket may hold any names."""
    return name not in {"", ".", ".."} and name.isprintable() and len(name.encode()) <= _NAME_BYTES
