"""An S3 bucket as a store: Amazon's, or a server that speaks the same (MinIO, SeaweedFS)."""

import hashlib
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from boto3.exceptions import Boto3Error, RetriesExceededError, S3UploadFailedError
from boto3.s3.transfer import TransferConfig
from botocore import exceptions as boto

from components.artifacts.pace import Travel, file_sha256
from components.artifacts.storage import s3_client
from components.artifacts.storage.failures import is_of_this_machine, of_file
from components.artifacts.storage.s3_client import connect, has_newer_checksums
from components.artifacts.storage.s3_errors import CONDITIONS_NEEDED, explained, is_away, refuses_conditions, status_of
from components.artifacts.storage.store import (
    ABSENT,
    ANY,
    AwayError,
    ConflictError,
    Listed,
    NoConditionsError,
    StorageError,
)

ATTEMPTS = 8
"""How often a write is tried that conflicts with another one in progress."""
TRANSFERS = 4
"""How often an object is fetched that arrives damaged or breaks off."""
WRITE_ID = "quillflow-write"
SHA256 = "quillflow-sha256"

_TRANSFER = TransferConfig(
    multipart_threshold=64 << 20, multipart_chunksize=16 << 20, max_concurrency=4, num_download_attempts=3
)
_CONDITIONS = {"IfNoneMatch": ("If-None-Match", "*"), "IfMatch": ("If-Match", f'"{"0" * 32}"')}
"""Each condition's name in boto and in HTTP, and a value that never holds for an existing object."""
_NOT_FOUND, _CONFLICT, _PRECONDITION_FAILED = 404, 409, 412
_T = TypeVar("_T")


class S3Store:
    """Objects of one bucket; an object's version is its ETag, which is the same for the same bytes.

    Objects carry a SHA-256, which is checked on arrival whatever the server checks. Small ones also carry an id of
    their write, by which a conditional write after a lost response knows that it succeeded.
    """

    def __init__(self, name: str, *, scheme: str) -> None:
        self._name, self._scheme = name, scheme
        with self._failures(""):
            self._client: Any = connect(scheme, name)
        self._heeds_conditions = False
        self._checked: dict[str, Any] = {"ChecksumAlgorithm": "SHA256"} if has_newer_checksums(self._client) else {}

    def uri(self, key: str) -> str:
        """The s3:// or minio:// URI."""
        return f"{self._scheme}://{self._name}/{key}" if key else f"{self._scheme}://{self._name}"

    def list(self, prefix: str) -> Iterator[Listed]:
        """All objects below a directory, except the empty ones that represent directories."""
        pages = self._client.get_paginator("list_objects_v2")
        with self._failures(prefix):
            for page in pages.paginate(Bucket=self._name, Prefix=f"{prefix}/" if prefix else ""):
                for found in page.get("Contents", []):
                    if not found["Key"].endswith("/"):
                        yield Listed(key=found["Key"], size=found["Size"], updated=found["LastModified"].timestamp())

    def read(self, key: str) -> tuple[bytes, str] | None:
        """An object's bytes and ETag."""
        with self._failures(key):
            return self._until_sound(key, lambda: self._read(key))

    def version(self, key: str) -> str | None:
        """An object's ETag."""
        with self._failures(key):
            found = self._look(key)
        return str(found["ETag"]) if found is not None else None

    def write(self, key: str, data: bytes, *, expected: str | None = ANY) -> str:
        """Write an object in one request; the first write tests whether the server supports conditions.

        Raises:
            ConflictError: the object there is not of the `expected` version.
            NoConditionsError: the server does not support conditional writes.
        """
        condition = {} if expected is ANY else {"IfNoneMatch": "*"} if expected == ABSENT else {"IfMatch": expected}
        described = {WRITE_ID: secrets.token_hex(8), SHA256: hashlib.sha256(data).hexdigest()}
        options = {"Body": data, "Metadata": described, **self._checked}
        with self._failures(key):
            version = self._put(key, {**options, **condition})
            if not self._heeds_conditions:
                self._try_conditions(key, options)
        return version

    def upload(self, path: Path, key: str) -> None:
        """Write an object from a file, a large one in parts."""
        with self._failures(key):
            options = {"Metadata": {SHA256: file_sha256(path)}, **self._checked}
            reported = Travel(self.uri(key), path.stat().st_size)
            self._client.upload_file(str(path), self._name, key, ExtraArgs=options, Callback=reported, Config=_TRANSFER)

    def download(self, key: str, path: Path) -> None:
        """Write an object to a file, a large one in parts."""
        with self._failures(key):
            self._until_sound(key, lambda: self._download(key, path))

    def delete(self, key: str) -> None:
        """Remove an object, if it is there."""
        with self._failures(key):
            self._client.delete_object(Bucket=self._name, Key=key)

    def _read(self, key: str) -> tuple[bytes, str] | None:
        try:
            answer = self._client.get_object(Bucket=self._name, Key=key)
        except self._client.exceptions.NoSuchKey:
            return None
        try:
            data = answer["Body"].read()
        except (boto.BotoCoreError, OSError) as error:
            raise _DamagedError from error
        if not _is_sound(answer, hashlib.sha256(data).hexdigest()):
            raise _DamagedError
        return data, answer["ETag"]

    def _download(self, key: str, path: Path) -> None:
        found = self._look(key)
        if found is None:
            raise FileNotFoundError(self.uri(key))
        try:
            reported = Travel(self.uri(key), found["ContentLength"])
            self._client.download_file(self._name, key, str(path), Callback=reported, Config=_TRANSFER)
        except (RetriesExceededError, boto.FlexibleChecksumError) as error:
            raise _DamagedError from error
        if path.stat().st_size != found["ContentLength"] or not _is_sound(found, file_sha256(path)):
            raise _DamagedError

    def _put(self, key: str, options: dict[str, Any]) -> str:
        for attempt in range(ATTEMPTS):
            try:
                return self._put_once(key, options)
            except boto.ClientError as error:
                if status_of(error) != _CONFLICT or attempt == ATTEMPTS - 1:
                    return self._won(key, options, error)
            _wait(attempt)
        raise AssertionError

    def _try_conditions(self, key: str, options: dict[str, Any]) -> None:
        """Write again on conditions that don't hold: the server must refuse each."""
        for name, (header, value) in _CONDITIONS.items():
            for _ in range(2):  # another process may just have removed it
                try:
                    self._put_once(key, {**options, name: value})
                except boto.ClientError as error:
                    if status_of(error) not in {_NOT_FOUND, _CONFLICT, _PRECONDITION_FAILED}:
                        raise
                    break
            else:
                raise NoConditionsError(f"{self.uri(key)}: the server ignores {header}; {CONDITIONS_NEEDED}")
        self._heeds_conditions = True

    def _put_once(self, key: str, options: dict[str, Any]) -> str:
        try:
            return str(self._client.put_object(Bucket=self._name, Key=key, **options)["ETag"])
        except boto.ClientError as error:
            if not options.keys().isdisjoint(_CONDITIONS) and refuses_conditions(error):
                raise NoConditionsError(f"{self.uri(key)}: {explained(error, CONDITIONS_NEEDED)}") from None
            raise

    def _won(self, key: str, options: dict[str, Any], error: boto.ClientError) -> str:
        """The ETag, if the refused write repeats one that succeeded although its response was lost."""
        gone = isinstance(error, self._client.exceptions.NoSuchKey) and "IfMatch" in options
        if status_of(error) != _PRECONDITION_FAILED and not gone:
            raise error
        found = self._look(key)
        if found is None or found["Metadata"].get(WRITE_ID) != options["Metadata"][WRITE_ID]:
            raise ConflictError(f"{self.uri(key)}: another process has written it meanwhile") from None
        return str(found["ETag"])

    def _look(self, key: str) -> Any:
        """The bucket's metadata of an object, or None if there is none."""
        try:
            return self._client.head_object(Bucket=self._name, Key=key)
        except boto.ClientError as error:
            if status_of(error) != _NOT_FOUND:
                raise
        # HEAD has no body that says what is missing; this raises if it is the bucket.
        self._client.list_objects_v2(Bucket=self._name, MaxKeys=1)
        return None

    def _until_sound(self, key: str, fetch: Callable[[], _T]) -> _T:
        """What `fetch` returns, once it arrives whole."""
        began = time.monotonic()
        for attempt in range(TRANSFERS):
            try:
                return fetch()
            except _DamagedError:
                if attempt and time.monotonic() - began > s3_client.RETRY_SECONDS:
                    break
                _wait(attempt)
        raise AwayError(f"{self.uri(key)}: arrived damaged or broke off each time it was fetched; try again")

    @contextmanager
    def _failures(self, key: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except (boto.BotoCoreError, boto.ClientError, Boto3Error, OSError, ValueError) as error:
            cause: Any = error
            while isinstance(cause, S3UploadFailedError) and cause.__context__:  # calls may be nested
                cause = cause.__context__
            if is_of_this_machine(cause):
                raise of_file(cause.filename or f"while moving {self.uri(key)}", cause) from None
            kind = AwayError if is_away(cause) else StorageError
            raise kind(f"{self.uri(key)}: {explained(cause)}") from None


class _DamagedError(Exception):
    """What arrived is not the object, or not all of it."""


def _is_sound(answer: dict[str, Any], digest: str) -> bool:
    """Whether bytes have the SHA-256 that their object was written with; objects of other tools have none."""
    return bool(answer["Metadata"].get(SHA256, digest) == digest)


def _wait(attempt: int) -> None:
    time.sleep(min(s3_client.FIRST_WAIT_SECONDS * 2**attempt, s3_client.LONGEST_WAIT_SECONDS))
