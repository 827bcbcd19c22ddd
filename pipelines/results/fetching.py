"""Fetches and verifies artifacts, one or a whole run's."""

import os
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path

from components.artifacts import storage
from components.artifacts.errors import ArtifactError, QuillflowError
from components.artifacts.manifest import MANIFEST_NAME
from components.command import log
from pipelines.results.finding import Artifact


def pull(artifacts: Sequence[Artifact], directory: Path) -> list[str]:
    """Fetch artifacts: one into `directory` itself, several with their paths below their common place.

    So the links between a run's pages still work. Files that exist already, as listed, are not fetched again, so a
    fetch that broke off is continued; fetches into one directory take turns. A copy keeps its original's time.

    Returns:
        The artifacts' paths.

    Raises:
        ArtifactError: something else is there, and nothing was fetched, or an artifact is damaged.
        StorageError: a store fails after all retries.
    """
    targets = _targets(artifacts, directory)
    _refuse_others(artifacts, targets, directory)
    if len(artifacts) == 1:
        _fetch(artifacts[0], directory)
        return [str(directory)]
    directory.mkdir(parents=True, exist_ok=True)
    with storage.taking_turns(directory):
        _refuse_others(artifacts, targets, directory)  # another process may have been first
        for artifact, target in zip(artifacts, targets, strict=True):
            _fetch(artifact, target)
    return [str(target) for target in targets]


def _fetch(artifact: Artifact, target: Path) -> None:
    storage.pull(artifact.place, target, artifact.manifest.kind, log.transferred)
    os.utime(target / MANIFEST_NAME, (artifact.updated, artifact.updated))


def verify_all(artifacts: Sequence[Artifact]) -> Mapping[str, str]:
    """Check every artifact against its manifest; by URI, what is wrong with it, or empty."""
    verdicts = {}
    for artifact in artifacts:
        try:
            with storage.incoming(str(artifact.place), artifact.manifest.kind, log.transferred):
                pass
            verdicts[str(artifact.place)] = ""
        except QuillflowError as error:
            verdicts[str(artifact.place)] = str(error)
    return verdicts


def _targets(artifacts: Sequence[Artifact], directory: Path) -> list[Path]:
    """Where each artifact goes."""
    if len(artifacts) == 1:
        return [directory]
    keys = [artifact.place.key.split("/") for artifact in artifacts]
    above = sum(1 for _ in takewhile(lambda parts: len(set(parts)) == 1, zip(*keys, strict=False)))
    for artifact, key in zip(artifacts, keys, strict=True):
        if {"", ".", ".."} & set(key[above:]):  # a bucket's keys may contain .. and lead anywhere
            raise ArtifactError(f"{artifact.place}: can't be placed inside {directory}; fetch it alone, by its URI")
    return [directory.joinpath(*key[above:]) for key in keys]


def _refuse_others(artifacts: Sequence[Artifact], targets: Sequence[Path], directory: Path) -> None:
    """Reject, before anything is fetched, what `storage.pull` would reject, and files next to the artifacts."""
    for artifact, target in zip(artifacts, targets, strict=True):
        storage.refuse_others(target, artifact.digest)
    if len(artifacts) == 1:
        return
    for path in directory.rglob("*"):
        if not path.is_dir() and not any(path.is_relative_to(target) for target in targets):
            raise ArtifactError(f"{directory}: holds {path.relative_to(directory)}; choose another place or empty it")
