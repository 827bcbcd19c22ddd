"""The logs that training writes into models, and beside its checkpoints until then, found by listing a root."""

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime

from components.artifacts.layout import run_of
from components.artifacts.manifest import MANIFEST_NAME
from components.artifacts.storage import Listed, Place, place_of

FOLDER = "tensorboard"
LIVE_NAME = "progress.json"  # beside a training's logs until its model is complete
_TRAINING = "training"
_NAME = re.compile(rf"(?:\d{{4}}(?:-\d\d){{5}}|{_TRAINING})_")
_NAME_BYTES = 255  # the longest name a file can have


@dataclass(frozen=True, kw_only=True)
class Logs:
    """The event files of one model, or of a training without one so far.

    `files` maps `<log>/<file>` to the store's listing.

    `name` is the time at which the model was complete, or "training", then its run, or its path if train was run alone.
    So a name is unique: a model trained again at the same place has another one.
    """

    root: Place
    name: str
    files: dict[str, Listed]

    @property
    def bytes(self) -> int:
        """Size of all the files in bytes."""
        return sum(listed.size for listed in self.files.values())


def logs_below(root: str) -> list[Logs]:
    """The logs of all complete models and of what is being trained below a root, from one listing.

    Raises:
        StorageError: the store fails after all retries.
        UsageError: the URI is not of a store.
    """
    place = place_of(root)
    named: dict[str, str] = {}
    files: defaultdict[str, dict[str, Listed]] = defaultdict(dict)
    for listed in place.store.list(place.key):
        model, folder, file = listed.key.rpartition(f"/{FOLDER}/")
        above, _, name = listed.key.rpartition("/")
        if name == MANIFEST_NAME:
            named[above] = f"{datetime.fromtimestamp(listed.updated, UTC):%Y-%m-%d-%H-%M-%S}"
        elif name == LIVE_NAME:
            named[above] = _TRAINING
        elif folder and _is_event_file(file):
            files[model][file] = listed
    return [
        Logs(root=place, name=name, files=found)
        for model, found in files.items()
        if model in named and _is_safe(name := f"{named[model]}_{_run(place, model)}")
    ]


def is_name(name: str) -> bool:
    """Whether a folder's name has the form of a log's."""
    return bool(_NAME.match(name))


def _run(root: Place, model: str) -> str:
    above = root.key.rpartition("/")[0]
    return run_of(model, "train") or model[len(above) :].strip("/").replace("/", "-")


def _is_event_file(file: str) -> bool:
    """Whether a path in a model's folder of logs is an event file, as train writes them: `<log>/<file>`."""
    parts = file.split("/")
    return len(parts) == 2 and "tfevents" in parts[1] and all(map(_is_safe, parts))  # noqa: PLR2004 -- a pair


def _is_safe(name: str) -> bool:
    """Whether an object's name can be a file's: a bucket may hold any names."""
    return name not in {"", ".", ".."} and name.isprintable() and len(name.encode()) <= _NAME_BYTES
