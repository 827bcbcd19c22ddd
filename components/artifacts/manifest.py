"""The manifest: an artifact's list of contents, written last, so that its presence means "complete".

Two runs with the same inputs, settings and version write the same manifest: it holds no time and no place. Its
SHA-256 is the artifact's name. `made_from` holds the digests of the artifacts that it was made from, so a sample can
be traced back to its corpus.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from components.artifacts.as_json import as_json
from components.artifacts.errors import ArtifactError, NewerArtifactError
from components.artifacts.pace import Pace, file_sha256
from components.artifacts.version import VERSION

MANIFEST_NAME = "manifest.json"
SCHEMA_VERSION = 1


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Producer(_Part):
    """Which stage wrote the artifact, and the suite's version."""

    stage: str
    version: str


class FileEntry(_Part):
    """One file's size in bytes and SHA-256 as lowercase hex."""

    bytes: int
    sha256: str


class Manifest(_Part):
    """What an artifact is, how it was made and what it holds.

    `files` maps relative POSIX paths to sizes and digests; `made_from` maps an input's kind to the
    SHA-256 of its manifest. `seal` is the SHA-256 of everything else in the manifest, so that a change to the manifest
    is detected like a change to a file.
    """

    schema_version: int
    kind: str
    producer: Producer
    config: dict[str, Any]
    counts: dict[str, int]
    files: dict[str, FileEntry]
    made_from: dict[str, str]
    seal: str = ""


def write_manifest(
    directory: Path,
    *,
    kind: str,
    stage: str,
    config: Mapping[str, Any],
    counts: Mapping[str, int],
    made_from: Mapping[str, str],
) -> Manifest:
    """Write the manifest of all files below `directory`; call it last."""
    files = {
        path.relative_to(directory).as_posix(): _describe(path)
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path != directory / MANIFEST_NAME
    }
    manifest = Manifest(
        schema_version=SCHEMA_VERSION,
        kind=kind,
        producer=Producer(stage=stage, version=VERSION),
        config=dict(config),
        counts=dict(counts),
        files=files,
        made_from=dict(made_from),
    )
    manifest = manifest.model_copy(update={"seal": _seal(manifest)})
    (directory / MANIFEST_NAME).write_bytes(_rendered(manifest))
    return manifest


def read_manifest(directory: Path, kind: str | None = None, *, name: str = "") -> Manifest:
    """Read a manifest without looking at the files it lists.

    Args:
        directory: the artifact.
        kind: the kind it must be.
        name: what errors call the artifact, if not `directory`.

    Raises:
        ArtifactError: it is missing, not a manifest, of a newer schema, or of another `kind`.
    """
    place = name or str(directory)
    try:
        data = (directory / MANIFEST_NAME).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise ArtifactError(f"{place}: no {MANIFEST_NAME}, so there is no complete artifact here") from None
    return parse_manifest(data, place, kind)


def parse_manifest(data: bytes, name: str, kind: str | None = None) -> Manifest:
    """The manifest of the artifact that errors call `name`, from its bytes; raises as `read_manifest`."""
    place = f"{name}/{MANIFEST_NAME}"
    try:
        values = json.loads(data)
    except (ValueError, RecursionError):
        raise ArtifactError(f"{place}: incomplete or not a manifest; re-run the stage that made it") from None
    version = values.get("schema_version") if isinstance(values, dict) else None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise NewerArtifactError(
            f"{place}: schema version {version} is newer than {SCHEMA_VERSION}, the newest that "
            f"Quillflow {VERSION} reads; use a newer Quillflow"
        )
    try:
        manifest = Manifest.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the whole"
        raise ArtifactError(f"{place}: not a Quillflow manifest ({field}: {first['msg'].lower()})") from None
    if not manifest.files:
        raise ArtifactError(f"{place}: it lists no files; re-run the stage that made it")
    for file in manifest.files:
        _check_name(place, file)
    if data != _rendered(manifest):
        raise ArtifactError(
            f"{place}: its seal does not match: it is damaged or was altered; re-run the stage that made it"
        )
    if kind is not None and manifest.kind != kind:
        raise ArtifactError(f"{name}: this is a {manifest.kind} artifact, where a {kind} is needed")
    return manifest


def verify(directory: Path, kind: str | None = None, *, name: str = "") -> Manifest:
    """Read a manifest and check every file it lists, by size and SHA-256; `name` as in `read_manifest`.

    Raises:
        ArtifactError: as `read_manifest`, or a file is missing, differs from the manifest or is not listed there.
    """
    manifest, pace = read_manifest(directory, kind, name=name), Pace()
    try:
        for file, expected in manifest.files.items():
            _check_file(directory / file, f"{name or directory}/{file}", expected, pace)
        others = unlisted(directory, manifest)
    except FileNotFoundError as error:  # another process is replacing or removing the artifact
        raise ArtifactError(f"{error.filename}: disappeared while it was read; re-run the stage that made it") from None
    refuse_unlisted(others, name or str(directory))
    return manifest


def _check_file(path: Path, place: str, expected: FileEntry, pace: Pace) -> None:
    if not path.is_file():
        raise ArtifactError(f"{place}: missing, though the manifest lists it; re-run the stage that made it")
    size = path.stat().st_size
    if size != expected.bytes:
        raise ArtifactError(
            f"{place}: {size:,} bytes where the manifest says {expected.bytes:,}: truncated or altered; "
            "make the artifact again"
        )
    if file_sha256(path, pace) != expected.sha256:
        raise ArtifactError(
            f"{place}: its SHA-256 is not the manifest's: it is damaged or was altered; re-run the stage that made it"
        )


def unlisted(directory: Path, manifest: Manifest) -> list[str]:
    """The files below an artifact's directory that its manifest does not list, sorted; except files being written."""
    found = (path.relative_to(directory) for path in directory.rglob("*") if path.is_symlink() or not path.is_dir())
    known = {MANIFEST_NAME, *manifest.files}
    return sorted(name for path in found if (name := path.as_posix()) not in known and not is_temporary(path.name))


def refuse_unlisted(files: Sequence[str], name: str) -> None:
    """Reject an artifact that holds files which its manifest does not list: a reader might take them for part of it.

    Raises:
        ArtifactError: there is one.
    """
    if files:
        raise ArtifactError(f"{name}/{files[0]}: the manifest does not list it; move it elsewhere")


def is_temporary(name: str) -> bool:
    """Whether this is a temporary file or directory of a store that is writing another."""
    return name.startswith(".") and name.endswith((".partial", ".lock", ".underway"))


def is_file_as_listed(path: Path, entry: FileEntry) -> bool:
    """Whether a file exists and is the one that a manifest lists."""
    return path.is_file() and path.stat().st_size == entry.bytes and file_sha256(path) == entry.sha256


def digest(directory: Path) -> str:
    """SHA-256 of the artifact's manifest, as lowercase hex: the artifact's name in `made_from`."""
    return file_sha256(directory / MANIFEST_NAME)


def _seal(manifest: Manifest) -> str:
    values = manifest.model_dump(mode="json", exclude={"seal"})
    return hashlib.sha256(as_json(values, sort_keys=True).encode()).hexdigest()


def _rendered(manifest: Manifest) -> bytes:
    """A manifest's bytes, with its seal."""
    values = {**manifest.model_dump(mode="json"), "seal": _seal(manifest)}
    text = as_json(values, indent=2, sort_keys=True, ensure_ascii=False)
    return f"{text}\n".encode()


def _describe(path: Path) -> FileEntry:
    return FileEntry(bytes=path.stat().st_size, sha256=file_sha256(path))


def _check_name(place: str, name: str) -> None:
    """Reject names that would reach outside the artifact's directory."""
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\0" in name or "\\" in name:
        raise ArtifactError(f"{place}: it lists {name!r}, which is outside the artifact; refused")
