"""One place that a text comes from: built in, on this machine, on the web or in a bucket.

Each kind knows how it is opened, named by what it holds, made absolute, and whether it is on this machine.
"""

import glob
import hashlib
import sys
from abc import ABC, abstractmethod
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from components.artifacts import builtin, http
from components.artifacts.errors import SourceError
from components.artifacts.storage.listing import files_in_bucket, files_on_disk
from components.artifacts.storage.place import Place, place_of
from components.artifacts.storage.secrets import whole
from components.artifacts.storage.uris import is_web, local_path, redacted, user_path

STANDARD_INPUT = "-"


@dataclass(frozen=True)
class Source(ABC):
    """A place that a text comes from, by its URI; of several files where it is a directory, a glob or a prefix."""

    uri: str

    @property
    def path(self) -> Path | None:
        """Its path, where it has one on this machine."""
        return None

    @property
    def is_here(self) -> bool:
        """Whether this machine alone can read it."""
        return False

    @property
    def is_pipe(self) -> bool:
        """Whether it can be read but once, and by this process alone."""
        return False

    @property
    def place(self) -> Place | None:
        """Where it is among places that artifacts can be kept at; None where it is none."""
        return None

    def absolute(self) -> str:
        """Its URI as seen from any directory."""
        return self.uri

    def files(self) -> list[str]:
        """The URIs of the files that it stands for.

        Raises:
            SourceError: there are none.
        """
        return [self.uri]

    @abstractmethod
    def digest(self, *, allow_private_hosts: bool) -> str | None:
        """Names its bytes: a SHA-256, of what a server says of them where they are remote; empty where it is missing.

        None if it is unknown.

        Raises:
            StorageError: the bucket fails for good.
            UsageError: there is no such text built in.
        """

    @abstractmethod
    def fetched(self, scratch: Path, *, allow_private_hosts: bool, maximum_bytes: int) -> Path:
        """A file with its bytes, in the directory `scratch` where it is none on this machine.

        Raises:
            SourceError: it can't be had, or is larger than `maximum_bytes`.
            StorageError: the bucket fails for good.
            UsageError: there is no such text built in.
        """


class BuiltIn(Source):
    """A text that comes with Quillflow."""

    def digest(self, **_: bool) -> str:
        """The SHA-256 of the text."""
        return hashlib.sha256(builtin.builtin_text(self.uri)).hexdigest()

    def fetched(self, scratch: Path, **_: int) -> Path:
        """A file with the text."""
        path = scratch / "source"
        path.write_bytes(builtin.builtin_text(self.uri))
        return path


class StandardInput(Source):
    """What comes through this process's standard input."""

    is_here = is_pipe = True

    def digest(self, **_: bool) -> str:
        """Empty: what is not read yet has no name."""
        return ""

    def fetched(self, scratch: Path, *, maximum_bytes: int, **_: int) -> Path:
        """A file with what came."""
        return spool(self.uri, scratch / "source", maximum_bytes)


class OnDisk(Source):
    """Files of this machine: a path, a directory, a glob, `file://`, or a pipe that has a name."""

    is_here = True

    @property
    def path(self) -> Path:
        """Its path, as it was given."""
        return local_path(self.uri) or Path(self.uri)

    @property
    def is_pipe(self) -> bool:
        """Whether it is a pipe that has a name."""
        return self.path.exists() and not (self.path.is_file() or self.path.is_dir())

    @property
    def place(self) -> Place:
        """Its place on the disk."""
        return place_of(self.uri)

    def absolute(self) -> str:
        """Its path in full; what a glob has before it is no part of its pattern."""
        if "://" in self.uri:
            return self.uri
        absolute = str(user_path(self.uri).absolute())
        is_glob = glob.has_magic(self.uri) and not Path(absolute).exists()
        if not is_glob or user_path(self.uri).is_absolute():
            return absolute
        return f"{glob.escape(str(Path.cwd()))}/{self.uri}"

    def files(self) -> list[str]:
        """The files at the path, or below it, or that match it."""
        return files_on_disk(self.uri, self.path)

    def digest(self, **_: bool) -> str:
        """The SHA-256 of the file."""
        if not self.path.is_file():
            return ""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def fetched(self, scratch: Path, *, maximum_bytes: int, **_: int) -> Path:
        """The file itself; of a pipe one with what came."""
        return spool(self.uri, scratch / "source", maximum_bytes) if self.is_pipe else self.path


class OnWeb(Source):
    """A file that is fetched over http(s)."""

    def digest(self, *, allow_private_hosts: bool) -> str | None:
        """The SHA-256 of what the server says of its version."""
        said = http.version(whole(self.uri), allow_private_hosts=allow_private_hosts)
        return hashlib.sha256(said.encode()).hexdigest() if said else None

    def fetched(self, scratch: Path, *, allow_private_hosts: bool, maximum_bytes: int) -> Path:
        """The download."""
        path = scratch / "source"
        http.fetch(
            whole(self.uri),
            path,
            name=redacted(self.uri),
            allow_private_hosts=allow_private_hosts,
            maximum_bytes=maximum_bytes,
        )
        return path


class InBucket(Source):
    """Objects of a bucket: one, those below a prefix, or a glob's."""

    @property
    def place(self) -> Place:
        """Its place in the bucket."""
        return place_of(self.uri)

    def files(self) -> list[str]:
        """The object, or those below the prefix, or that match the glob."""
        return files_in_bucket(self.uri)

    def digest(self, **_: bool) -> str:
        """The SHA-256 of its URI and version."""
        version = self.place.store.version(self.place.key)
        return "" if version is None else hashlib.sha256(f"{self.uri} {version}".encode()).hexdigest()

    def fetched(self, scratch: Path, **_: int) -> Path:
        """The download."""
        path = scratch / "source"
        try:
            self.place.store.download(self.place.key, path)
        except FileNotFoundError:
            raise SourceError(f"{redacted(self.uri)}: no such object") from None
        return path


def source_at(uri: str) -> Source:
    """The source that a URI names.

    Raises:
        UsageError: its scheme is unknown, or it is none that a file can have.
    """
    if uri.startswith(builtin.SCHEME):
        return BuiltIn(uri)
    if uri == STANDARD_INPUT:
        return StandardInput(uri)
    if is_web(uri):
        return OnWeb(uri)
    return InBucket(uri) if local_path(uri) is None else OnDisk(uri)


def spool(uri: str, path: Path, maximum_bytes: int) -> Path:
    """Copy a pipe to a file; its path again.

    Raises:
        SourceError: it is larger than `maximum_bytes`.
    """
    name = "standard input" if uri == STANDARD_INPUT else uri
    pipe = nullcontext(sys.stdin.buffer) if uri == STANDARD_INPUT else (local_path(uri) or Path(uri)).open("rb")
    with pipe as raw, path.open("wb") as file:
        while chunk := raw.read(1 << 20):
            file.write(chunk)
            if file.tell() > maximum_bytes:
                raise SourceError(
                    f"{name}: larger than ingest.maximum_bytes ({maximum_bytes:,}); raise it if this is intended"
                )
    return path
