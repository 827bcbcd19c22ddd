"""Fetches artifacts from a store into a local directory: complete and verified, or not an artifact yet."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from components.artifacts.errors import ArtifactError
from components.artifacts.manifest import (
    MANIFEST_NAME,
    Manifest,
    is_file_as_listed,
    parse_manifest,
    read_manifest,
    refuse_unlisted,
    verify,
)
from components.artifacts.storage.local import taking_turns
from components.artifacts.storage.names import REMOVAL_NAME, UNDERWAY_NAME, WAITING_NAME
from components.artifacts.storage.place import Place
from components.artifacts.storage.steady import replaced

PARALLEL_TRANSFERS = 8
Progress = Callable[[int, int], None]
"""Called with the bytes done and the bytes in total while files are transferred."""


def pull(place: Place, directory: Path, kind: str | None = None, progress: Progress | None = None) -> Manifest:
    """Fetch an artifact into `directory`; files that are there already, as the manifest lists them, stay.

    The manifest comes last, so a fetch that broke off leaves no artifact; calling again continues it. Fetches into one
    directory take turns.

    Raises:
        ArtifactError: there is no such artifact, it holds files that its manifest does not list, what arrived is not
            what the manifest lists, or `directory` holds something else.
        StorageError: the store fails after all retries.
    """
    found = place.store.read((place / MANIFEST_NAME).key)
    if found is None:
        raise ArtifactError(f"{place}: no {MANIFEST_NAME}, so there is no complete artifact here")
    manifest = parse_manifest(found[0], str(place), kind)
    refuse_others(directory, sha256(found[0]).hexdigest())
    refuse_unlisted(unlisted_in_bucket(place, [manifest]), str(place))
    directory.mkdir(parents=True, exist_ok=True)
    with taking_turns(directory):
        refuse_others(directory, sha256(found[0]).hexdigest())  # another process may have been first
        try:
            return _fill(directory, place, manifest, found[0], progress)
        except ArtifactError as error:
            now = place.store.read((place / MANIFEST_NAME).key)
            if now is None or now[0] != found[0]:
                raise replaced(place) from error
            raise


def _fill(directory: Path, place: Place, manifest: Manifest, data: bytes, progress: Progress | None) -> Manifest:
    """Fetch the files that `directory` lacks of an artifact with the manifest `data`, and verify it."""
    waiting = directory / WAITING_NAME
    waiting.write_bytes(data)
    wanted = [name for name, entry in manifest.files.items() if not is_file_as_listed(directory / name, entry)]
    in_parallel(
        [lambda name=name: _download(place, directory, name) for name in wanted],  # type: ignore[misc]
        [manifest.files[name].bytes for name in wanted],
        progress,
    )
    waiting.replace(directory / MANIFEST_NAME)
    return verify(directory, manifest.kind, name=str(place))


def unlisted_in_bucket(place: Place, manifests: Sequence[Manifest]) -> list[str]:
    """The names, sorted, of the objects below an artifact's place that none of the manifests there lists."""
    listed = {name for manifest in manifests for name in manifest.files}
    known = {(place / name).key for name in (MANIFEST_NAME, UNDERWAY_NAME, REMOVAL_NAME, *listed)}
    start = len((place / "").key) if place.key else 0
    return sorted(found.key[start:] for found in place.store.list(place.key) if found.key not in known)


def refuse_others(directory: Path, digest: str) -> None:
    """Reject a directory that holds anything but the artifact to be fetched, whole or in part.

    Args:
        directory: where the artifact goes.
        digest: SHA-256 of its manifest.

    Raises:
        ArtifactError: something else is there; it is left alone.
    """
    if directory.exists() and not directory.is_dir():
        raise ArtifactError(f"{directory}: is a file, but an artifact is a directory; choose another place")
    # A fetch that was killed early leaves nothing, or an incomplete copy of the manifest.
    if not directory.exists() or {path.name for path in directory.iterdir()} <= {WAITING_NAME}:
        return
    for name in (WAITING_NAME, MANIFEST_NAME):
        with suppress(FileNotFoundError):
            if sha256((directory / name).read_bytes()).hexdigest() == digest:
                return
    is_another = is_artifact(directory) or (directory / WAITING_NAME).exists()
    what = "another artifact" if is_another else "files that are not an artifact"
    raise ArtifactError(f"{directory}: holds {what}; choose another place or empty it")


def is_artifact(directory: Path) -> bool:
    """Whether a directory's manifest is one of ours: other programs have files of that name too."""
    try:
        read_manifest(directory)
    except ArtifactError:
        return False
    return True


def in_parallel(jobs: Sequence[Callable[[], None]], sizes: Sequence[int], progress: Progress | None) -> None:
    """Do all jobs, several at a time; raise the first failure when the running ones have ended."""
    done, total = 0, sum(sizes)
    with ThreadPoolExecutor(PARALLEL_TRANSFERS) as pool:
        for future, size in [(pool.submit(job), size) for job, size in zip(jobs, sizes, strict=True)]:
            try:
                future.result()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
            done += size
            if progress is not None:
                progress(done, total)


def _download(place: Place, directory: Path, name: str) -> None:
    target = directory / name
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    try:
        place.store.download((place / name).key, partial)
    except FileNotFoundError:
        raise ArtifactError(
            f"{place / name}: missing, though the manifest lists it; re-run the stage that made it"
        ) from None
    partial.replace(target)
