"""An artifact's lineage: what it was made from, found by digest in its own run, or else below the root of all runs."""

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


def _made_from(made: Manifest, place: str) -> Ancestor | None:
    """What an artifact was made from, below a place."""
    root = storage.place_of(place)
    endings = {f"/{kind}/{MANIFEST_NAME}": digest for kind, digest in made.made_from.items() if kind != "source"}
    for listed in root.store.list(root.key) if endings else ():
        for ending, digest in endings.items():
            if listed.key.endswith(ending):
                found = _at(str(storage.Place(root.store, listed.key.removesuffix(f"/{MANIFEST_NAME}"))))
                if found is not None and found.digest == digest:
                    return found
    return None


def _at(uri: str) -> Ancestor | None:
    """The artifact at a URI, or None if none is there or its manifest is damaged."""
    found = storage.read_file(f"{uri}/{MANIFEST_NAME}")
    try:
        return Ancestor(uri, parse_manifest(found[0], uri), sha256(found[0]).hexdigest()) if found else None
    except ArtifactError:
        return None
