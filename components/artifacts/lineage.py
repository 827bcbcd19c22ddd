"""An artifact's lineage: what it was made from, found by digest in its own run, or else below the root of all runs."""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import NamedTuple

from components.artifacts import storage
from components.artifacts.errors import ArtifactError
from components.artifacts.layout import above
from components.artifacts.manifest import MANIFEST_NAME, Manifest, parse_manifest


class Ancestor(NamedTuple):
    """An artifact's URI, its manifest, and the manifest's SHA-256."""

    uri: str
    manifest: Manifest
    digest: str


def lineage(uri: str) -> dict[str, Ancestor]:
    """The artifact at `uri` and what it was made from, by kind, as far back as that is found.

    Raises:
        StorageError: the store fails after all retries.
    """
    chain: dict[str, Ancestor] = {}
    found = first = _at(str(storage.place_of(uri)))
    while found is not None and first is not None:
        chain[found.manifest.kind] = found
        places = above(first.uri, first.manifest.producer.stage)
        found = next((one for place in places if (one := _made_from(found.manifest, place)) is not None), None)
    return chain


def samples_of(chain: Mapping[str, Ancestor]) -> Ancestor | None:
    """The samples that a lineage's model wrote in its own run, if they are there."""
    model = chain.get("model")
    for place in above(model.uri, model.manifest.producer.stage)[:1] if model else ():
        for found in _below(place, "samples"):
            if model and found.manifest.made_from.get("model") == model.digest:
                return found
    return None


def _made_from(made: Manifest, place: str) -> Ancestor | None:
    """What an artifact was made from, below a place."""
    for kind, digest in made.made_from.items():
        for found in _below(place, kind) if kind != "source" else ():
            if found.digest == digest:
                return found
    return None


def _below(place: str, kind: str) -> Iterator[Ancestor]:
    """All artifacts of a kind below a place."""
    root, ending = storage.place_of(place), f"/{MANIFEST_NAME}"
    for listed in root.store.list(root.key):
        if listed.key.endswith(f"/{kind}{ending}"):
            found = _at(str(storage.Place(root.store, listed.key.removesuffix(ending))))
            if found is not None:
                yield found


def _at(uri: str) -> Ancestor | None:
    """The artifact at a URI, or None if none is there or its manifest is damaged."""
    found = storage.read_file(f"{uri}/{MANIFEST_NAME}")
    try:
        return Ancestor(uri, parse_manifest(found[0], uri), sha256(found[0]).hexdigest()) if found else None
    except ArtifactError:
        return None
