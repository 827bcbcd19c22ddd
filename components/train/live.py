"""What a place of checkpoints holds for those who look on while it trains: progress.json, and event files."""

import json
import re
from contextlib import suppress

from components.artifacts import storage
from components.artifacts.manifest import is_temporary
from components.artifacts.typed import Live

LIVE_NAME = "progress.json"
FOLDER = "tensorboard"
RUNS = ("training", "held_out")
_EVENTS = re.compile(rf"(?P<run>{'|'.join(RUNS)})/events\.out\.tfevents\.(?P<step>\d{{10,}})\.quillflow")


def event_name(run: str, train_step: int) -> str:
    """The name, in FOLDER, of the event file of a run that ends with a train step."""
    return f"{run}/events.out.tfevents.{train_step:010d}.quillflow"


def event_files(place: storage.Place) -> dict[str, tuple[str, int]]:
    """The event files at a place of checkpoints, by their names in FOLDER: run and train step."""
    matches = {name: _EVENTS.fullmatch(name) for name in _logs(place)}
    return {name: (match["run"], int(match["step"])) for name, match in matches.items() if match}


def read_live(checkpoints: str) -> Live | None:
    """How far the training with its checkpoints at a URI is; None if nothing says so."""
    data, _ = storage.read_file(f"{checkpoints}/{LIVE_NAME}") or (b"", "")
    return _parsed(data)


def foreign_in(place: storage.Place, name: str) -> str:
    """The first thing at LIVE_NAME or in FOLDER, whichever `name` is, that training did not write; "" if none."""
    if name == FOLDER:
        files = (file for file in _logs(place) if not (_EVENTS.fullmatch(file) or is_temporary(file.split("/")[-1])))
        return next((f"{name}/{file}" for file in files), "")
    data, _ = storage.read_file(str(place / name)) or (b"", "")
    return "" if _parsed(data) else name


def _parsed(data: bytes) -> Live | None:
    with suppress(ValueError):
        values: Live = json.loads(data)
        if isinstance(values, dict) and values.keys() == Live.__annotations__.keys():
            return values
    return None


def _logs(place: storage.Place) -> list[str]:
    """The names of all files in the folder of logs, sorted."""
    above = (place / FOLDER).key
    return sorted(listed.key.removeprefix(above).lstrip("/") for listed in place.store.list(above))
