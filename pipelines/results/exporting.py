"""Finds the checkpoints of a training, and the dataset that they were trained on, to make a model of one of them."""

from components.artifacts import storage
from components.artifacts.errors import UsageError
from components.artifacts.layout import run_of
from components.artifacts.manifest import MANIFEST_NAME
from components.train.committed import NAME, Committed, of_epoch
from pipelines.results import finding


def find_checkpoint(name: str, epoch: int, root: str) -> Committed:
    """The checkpoint of an epoch's end.

    Args:
        name: the checkpoints' URI or RUN/PATH, or a run's URI or name.
        epoch: counted from 1.
        root: where runs are stored.

    Raises:
        UsageError: there are no checkpoints, those of several trainings, or none of that epoch.
    """
    places = [name, *finding.run_uris(name, root)]
    for place in places:
        found = _checkpoints_below(place)
        if len(found) > 1:
            raise UsageError(f"{name}: holds the checkpoints of {len(found):,} trainings; name one: {', '.join(found)}")
        if found:
            return of_epoch(found[0], epoch)
    there = next((place for place in places if any(storage.entries(place))), name)
    return of_epoch(there, epoch)  # says what is there instead


def dataset_of(checkpoint: Committed, root: str) -> str:
    """The URI of the dataset that a checkpoint was trained on.

    Raises:
        UsageError: it is not found.
    """
    place = storage.place_of(checkpoint.checkpoints)
    known = finding.around(place, run_of(place.key, "train"), root)
    wanted = checkpoint.manifest.made_from.get("dataset")
    found = [one for one in known if one.digest == wanted]
    if not found:
        raise UsageError(
            f"{place}: the dataset they were trained on, {str(wanted)[:16]}, is neither below {root} nor near them; "
            "say with --root where it is"
        )
    return str(found[0].place)


def refuse_existing(model: str, checkpoint: Committed) -> None:
    """Refuse a place for a model that holds anything, or is inside the checkpoints' place or around it.

    Raises:
        ArtifactError: it holds something other than a model.
        UsageError: it holds a model, or overlaps the checkpoints.
    """
    place = storage.place_of(model)
    storage.check_outputs({"MODEL": model}, {"CHECKPOINTS": checkpoint.checkpoints})
    storage.check_replaceable(place, "model")
    if storage.read_file(str(place / MANIFEST_NAME)) is not None:
        raise UsageError(f"{place}: holds a model already; choose another place")


def _checkpoints_below(uri: str) -> list[str]:
    """The URIs of all trainings' checkpoints at a URI or below."""
    place = storage.place_of(uri)
    found = set()
    for listed in place.store.list(place.key):
        above, _, name = listed.key.removesuffix(f"/{MANIFEST_NAME}").rpartition("/")
        if listed.key.endswith(f"/{MANIFEST_NAME}") and NAME.fullmatch(name):
            found.add(str(storage.Place(place.store, above)))
    return sorted(found)
