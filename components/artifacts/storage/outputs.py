"""What an output may replace: only an artifact of its own kind, and never an input."""

from collections.abc import Mapping
from itertools import combinations

from components.artifacts.errors import ArtifactError, UsageError
from components.artifacts.manifest import MANIFEST_NAME, Manifest, parse_manifest, read_manifest, unlisted
from components.artifacts.storage.fetch import unlisted_in_bucket
from components.artifacts.storage.names import UNDERWAY_NAME
from components.artifacts.storage.place import Place, place_of


def check_outputs(outputs: Mapping[str, str], inputs: Mapping[str, str]) -> None:
    """Reject outputs that are, contain or are inside an input or one another: writing them would destroy it.

    Args:
        outputs: their URIs, by the names that errors use.
        inputs: the inputs' URIs, likewise; those outside any store are ignored.

    Raises:
        UsageError: two of them overlap.
    """
    written = [(name, place_of(uri)) for name, uri in outputs.items()]
    read = [(name, place) for name, uri in inputs.items() if (place := _place_in_store(uri)) is not None]
    pairs = [*combinations(written, 2), *((output, source) for output in written for source in read)]
    for (name, place), (other_name, other) in pairs:
        if place.overlaps(other):
            raise UsageError(
                f"{name} {place} and {other_name} {other} are the same place, or one is inside the other; "
                f"choose another place for {name}"
            )


def check_replaceable(place: Place, kind: str) -> None:
    """Refuse to replace anything but an artifact of the same kind: a mistyped path must not destroy anybody's files.

    Raises:
        ArtifactError: something else is there; it is left alone.
    """
    if place.local is not None:
        found, foreign = _on_disk(place)
    else:
        found, foreign = _in_bucket(place)
    for manifest in found:
        if manifest.kind != kind:
            raise ArtifactError(
                f"{place}: holds a {manifest.kind}, which a {kind} must not replace; choose another place"
            )
    if foreign:
        holds = f"{foreign[0]}, which is not part of the artifact" if found else "files that are not an artifact"
        raise ArtifactError(f"{place}: holds {holds}; choose another place or empty it")


def _on_disk(place: Place) -> tuple[list[Manifest], list[str]]:
    """The artifact at a place on a disk, and the files there that do not belong to it."""
    target = place.local
    if target is None or not target.exists():
        return [], []
    if not target.is_dir():
        raise ArtifactError(f"{target}: is a file, but an artifact is a directory; choose another place")
    try:
        manifest = read_manifest(target)
    except ArtifactError:
        return [], sorted(path.name for path in target.iterdir())
    return [manifest], unlisted(target, manifest)


def _in_bucket(place: Place) -> tuple[list[Manifest], list[str]]:
    """The artifact at a place in a bucket, an incomplete one there, and the files that belong to neither."""
    found = []
    for name in (MANIFEST_NAME, UNDERWAY_NAME):
        if data := place.store.read((place / name).key):
            try:
                found.append(parse_manifest(data[0], str(place)))
            except ArtifactError:
                return [], [name]
    return found, unlisted_in_bucket(place, found)


def _place_in_store(uri: str) -> Place | None:
    try:
        return place_of(uri) if uri else None
    except UsageError:  # a source elsewhere, or invalid; the stage itself reports it
        return None
