"""A Google Cloud Storage bucket as a store."""

import base64
import io
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import responses
from pathlib import Path
from typing import IO, Any

import google_crc32c
from google.api_core import exceptions as api
from google.auth import exceptions as auth
from google.cloud import storage
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from google.cloud.storage.retry import DEFAULT_RETRY

from components.artifacts.pace import Travel, TravellingFile
from components.artifacts.storage.contact import Contact
from components.artifacts.storage.failures import (
    in_brackets,
    is_of_this_machine,
    network_cause,
    of_file,
    one_line,
    passes,
)
from components.artifacts.storage.store import ANY, AwayError, ConflictError, Listed, StorageError

CONNECT_SECONDS = 10.0
TIMEOUT_SECONDS = 60.0
"""How long the server may be silent within one request."""
RETRY_SECONDS = 120.0
"""How long a request is retried in total."""
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 10.0
ATTEMPTS = 5
"""How often a transfer is repeated that arrived damaged or whose object was replaced meanwhile."""
CHUNK_BYTES = 16 << 20
"""How much of a large upload is held in memory and sent in one request."""
WRITE_ID = "quillflow-write"
PAYER_VARIABLE = "GS_USER_PROJECT"
"""Names the project that pays for requests to a bucket whose requester pays."""

_NO_BUCKET = "bucket does not exist"
_CHECKSUM: Any = google_crc32c.Checksum
_HINTS = {
    401: "renew them with `gcloud auth application-default login`, or use workload identity",
    403: "give the application default credentials in use a role such as Storage Object User on the bucket",
    404: "create the bucket or correct its name",
}


class GcsStore:
    """Objects of one bucket; an object's version is its generation.

    Every write and delete names the generation it expects, so a retry after a lost response changes nothing twice: a
    write finds its own id at the object and knows that it succeeded.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        with self._failures(""):
            # No request here needs a project, and looking up the default one can fail.
            payer = os.environ.get(PAYER_VARIABLE) or None
            client: Any = storage.Client(project=None)
            Contact(self.uri(""), lambda _: RETRY_SECONDS).watch(client._http)  # noqa: SLF001 -- there is no other way
            self._bucket: Any = client.bucket(name, user_project=payer)

    def uri(self, key: str) -> str:
        """The gs:// URI."""
        return f"gs://{self._name}/{key}" if key else f"gs://{self._name}"

    def list(self, prefix: str) -> Iterator[Listed]:
        """All objects below a directory, except the empty ones that represent directories."""
        with self._failures(prefix):
            for blob in self._bucket.list_blobs(prefix=f"{prefix}/" if prefix else None, **_patience()):
                if not blob.name.endswith("/"):
                    yield Listed(key=blob.name, size=blob.size, updated=blob.updated.timestamp())

    def read(self, key: str) -> tuple[bytes, str] | None:
        """An object's bytes and generation."""
        buffer = io.BytesIO()
        with self._failures(key):
            generation = self._fetch(key, buffer)
        return (buffer.getvalue(), str(generation)) if generation else None

    def version(self, key: str) -> str | None:
        """An object's generation."""
        with self._failures(key):
            blob = self._look(key)
        return str(blob.generation) if blob is not None else None

    def write(self, key: str, data: bytes, *, expected: str | None = ANY) -> str:
        """Write an object in one request."""
        return str(self._put(key, lambda blob, **options: blob.upload_from_string(data, **options), expected))

    def upload(self, path: Path, key: str) -> None:
        """Write an object from a file, a large one in chunks."""
        with self._failures(key), path.open("rb") as file:
            size = path.stat().st_size
            sent = TravellingFile(file, Travel(self.uri(key), size))
            self._put(key, lambda blob, **options: blob.upload_from_file(sent, rewind=True, size=size, **options))

    def download(self, key: str, path: Path) -> None:
        """Write an object to a file; a download that breaks off is continued."""
        with self._failures(key), path.open("wb+") as file:
            generation = self._fetch(key, file)
        if not generation:
            path.unlink()
            raise FileNotFoundError(self.uri(key))

    def delete(self, key: str) -> None:
        """Remove an object, if it is there."""
        with self._failures(key):
            for _ in range(ATTEMPTS):
                blob = self._look(key)
                if blob is None:
                    return
                try:
                    self._bucket.blob(key).delete(if_generation_match=blob.generation, **_patience())
                except api.PreconditionFailed:
                    continue
                except api.NotFound:
                    pass
                return
        raise ConflictError(f"{self.uri(key)}: another process wrote it again each time it was removed")

    def _look(self, key: str) -> Any:
        """The bucket's metadata of an object, or None if there is none."""
        blob = self._bucket.blob(key)
        try:
            blob.reload(**_patience())
        except api.NotFound as error:
            if _NO_BUCKET in str(error):
                raise
            return None
        return blob

    def _fetch(self, key: str, file: IO[bytes]) -> int:
        """Fill `file` with an object and check it; its generation, or 0 if there is no object."""
        for _ in range(ATTEMPTS):
            blob = self._bucket.blob(key)
            file.seek(0)
            file.truncate()
            try:
                blob.download_to_file(
                    TravellingFile(file, Travel(self.uri(key))), raw_download=True, checksum="auto", **_patience()
                )
                if blob.generation is None or blob.crc32c is None:
                    blob.reload(**_patience())
            except DataCorruption:
                continue
            except api.NotFound as error:
                if _NO_BUCKET in str(error):
                    raise
                if file.tell() == 0:
                    return 0
                continue
            # The library does not check a download that broke off and was continued.
            if _crc32c(file) == blob.crc32c:
                return int(blob.generation)
        raise AwayError(
            f"{self.uri(key)}: arrived damaged or was replaced {ATTEMPTS} times while it was fetched; try again"
        )

    def _put(self, key: str, send: Callable[..., None], expected: str | None = ANY) -> int:
        for _ in range(ATTEMPTS):
            with self._failures(key):
                if expected is not ANY:
                    return self._put_if(key, send, int(expected or 0))
                blob = self._look(key)
                try:
                    return self._put_if(key, send, 0 if blob is None else blob.generation)
                except ConflictError:
                    continue
        raise ConflictError(f"{self.uri(key)}: another process keeps writing it")

    def _put_if(self, key: str, send: Callable[..., None], generation: int) -> int:
        """One write that expects `generation` (0: no object); the new generation."""
        blob, write_id = self._bucket.blob(key, chunk_size=CHUNK_BYTES), secrets.token_hex(8)
        blob.metadata = {WRITE_ID: write_id}
        blob.content_type = "application/octet-stream"
        try:
            send(blob, if_generation_match=generation, checksum="auto", **_patience())
        except (api.Unauthorized, api.Forbidden):
            raise
        except api.ClientError as error:
            found = self._look(key)
            if found is not None and (found.metadata or {}).get(WRITE_ID) == write_id:
                return int(found.generation)
            if isinstance(error, api.PreconditionFailed):
                raise ConflictError(f"{self.uri(key)}: another process has written it meanwhile") from None
            raise
        return int(blob.generation)

    @contextmanager
    def _failures(self, key: str) -> Iterator[None]:
        try:
            yield
        except (api.GoogleAPIError, auth.GoogleAuthError, DataCorruption, InvalidResponse, OSError) as error:
            cause: Any = error.cause if isinstance(error, api.RetryError) and error.cause else error
            if is_of_this_machine(cause):
                raise of_file(cause.filename or f"while moving {self.uri(key)}", cause) from None
            kind = AwayError if _is_away(cause) else StorageError
            raise kind(f"{self.uri(key)}: {_explained(cause)}") from None


def _patience() -> dict[str, Any]:
    retry = DEFAULT_RETRY.with_delay(initial=FIRST_WAIT_SECONDS, maximum=LONGEST_WAIT_SECONDS)
    retry = retry.with_timeout(RETRY_SECONDS)
    return {"timeout": (CONNECT_SECONDS, TIMEOUT_SECONDS), "retry": retry}


def _explained(error: Any) -> str:
    if isinstance(error, auth.DefaultCredentialsError):
        return "no Google credentials; run `gcloud auth application-default login`, or use workload identity"
    if isinstance(error, auth.RefreshError):
        return f"the Google credentials were rejected or have expired; {_HINTS[401]}"
    if isinstance(error, api.GoogleAPICallError) and error.code:
        hint = "try again later" if passes(int(error.code)) else _HINTS.get(error.code)
        answer = f"{int(error.code)} {responses.get(error.code, '')}".rstrip()
        return f"the server answered {answer}{in_brackets(_said(error), hint)}"
    if isinstance(error, DataCorruption):
        return "it arrived damaged; try again"
    return f"can't be reached ({network_cause(error)}); check the network and STORAGE_EMULATOR_HOST, then try again"


def _is_away(error: Any) -> bool:
    if isinstance(error, api.GoogleAPICallError) and error.code:
        return passes(int(error.code))
    return not isinstance(error, auth.GoogleAuthError) or isinstance(error, auth.TransportError)


def _said(error: Any) -> str:
    """The service's message; not the library's, which holds the request's URL."""
    try:
        return one_line(error.response.json()["error"]["message"])
    except (AttributeError, ValueError, KeyError, TypeError):
        return ""


def _crc32c(file: IO[bytes]) -> str:
    file.seek(0)
    checksum = _CHECKSUM()
    while chunk := file.read(1 << 20):
        checksum.update(chunk)
    return base64.b64encode(checksum.digest()).decode()
