"""Google Cloud Storage on loopback: gcp-storage-emulator behind a proxy that judges preconditions, as Google does."""

import contextlib
import io
import json
import re
from collections.abc import Iterator
from functools import partial
from http.client import HTTPResponse
from http.server import HTTPServer
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

from gcp_storage_emulator.server import RequestHandler
from gcp_storage_emulator.storage import Storage

from tests.storage.servers import Answer, Proxy, Store


class GcsProxy(Proxy):
    """Judges generations as Google does, says what is missing and which generation it sends, and lists page by page."""

    def __init__(self, store: Store, environment: dict[str, str], host: str, storage: Storage) -> None:
        super().__init__(store, environment, host)
        self.storage = storage
        self.page = 1000
        self._sessions: dict[str, tuple[str, str, str]] = {}

    def refused(self, status: int, message: str) -> Answer:
        return _google_error(status, message)

    def make_bucket(self, name: str) -> None:
        """A fresh bucket, made over the wire, since clients can't make one without a project."""
        body, kind = json.dumps({"name": name}).encode(), {"Content-Type": "application/json"}
        self.expect_made("POST", "/storage/v1/b?project=test", body, **kind)

    def pass_on(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:  # noqa: PLR0911 -- a table
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        match = re.fullmatch(r"(?:/upload|/download)?/storage/v1/b/([^/]+)/o(?:/(.+))?", parts.path)
        if match is None:
            return super().pass_on(method, path, headers, body)
        bucket, name = match[1], unquote(match[2] or "")
        if bucket not in self.storage.buckets:
            return _google_error(404, "The specified bucket does not exist.")
        if parts.path.startswith("/upload"):
            return self._upload(bucket, query, (method, path, headers, body))
        there = self._generation(bucket, name)
        if name and there == "0":
            return _google_error(404, f"No such object: {bucket}/{name}")
        if query.get("generation", there) != there:
            return _google_error(404, f"No such object: {bucket}/{name}#{query['generation']}")
        if query.get("ifGenerationMatch", there) != there:
            return _google_error(412, "At least one of the pre-conditions you specified did not hold.")
        answer = super().pass_on(method, path, headers, body)
        if method == "GET" and not name:
            return self._paged(answer, query)
        if query.get("alt") == "media":
            answer.headers.append(("X-Goog-Generation", there))
        return answer

    def described(self, method: str, path: str, headers: Any, body: bytes) -> str:
        """With the name of what is uploaded, or the range; without the library's looks at buckets behind our back."""
        if re.fullmatch(r"/storage/v1/b/[^/]+", urlsplit(path).path):
            return ""
        starts = re.search(r"^/upload.*uploadType=(multipart|resumable)(?!.*upload_id)", path)
        more = _name_in(body) if starts else headers.get("Content-Range", "")
        return f"{method} {unquote(path)} {more}".rstrip()

    def _upload(self, bucket: str, query: dict[str, str], request: tuple[str, str, dict[str, str], bytes]) -> Answer:
        if session := query.get("upload_id"):
            bucket, name, expected = self._sessions.get(session, (bucket, "", ""))
        else:
            name, expected = query.get("name") or _name_in(request[3]), query.get("ifGenerationMatch", "")
        if expected and expected != self._generation(bucket, name):
            return _google_error(412, "At least one of the pre-conditions you specified did not hold.")
        if session and (known := self._known_bytes(session, request[2])):
            return Answer(308, [("Range", f"bytes=0-{known - 1}")], b"")
        answer = super().pass_on(*request)
        if started := parse_qs(urlsplit(answer.header("location")).query).get("upload_id"):
            self._sessions[started[0]] = (bucket, name, expected)
        return answer

    def _known_bytes(self, session: str, headers: dict[str, str]) -> int:
        """How much of an upload has come, where a chunk comes again: Google answers, the emulator fails."""
        start = re.match(r"bytes (\d+)-", headers.get("content-range", headers.get("Content-Range", "")))
        known = int(self.storage.get_resumable_byte_count(session))
        return known if start and int(start[1]) < known else 0

    def _generation(self, bucket: str, name: str) -> str:
        return str(self.storage.objects.get(bucket, {}).get(name, {}).get("generation", 0))

    def _paged(self, answer: Answer, query: dict[str, str]) -> Answer:
        listing = json.loads(answer.body)
        start = int(query.get("pageToken", 0))
        items = listing.get("items", [])
        listing["items"] = items[start : start + self.page]
        if start + self.page < len(items):
            listing["nextPageToken"] = str(start + self.page)
        return Answer(answer.status, answer.headers, json.dumps(listing).encode())


@contextlib.contextmanager
def google_server(host: str = "127.0.0.1") -> Iterator[GcsProxy]:
    """A Google Cloud Storage; `environment` is what a client needs."""
    storage = Storage(use_memory_fs=True)
    with HTTPServer(("127.0.0.1", 0), partial(RequestHandler, storage)) as emulator:
        proxy = GcsProxy(partial(_answer, emulator), {"STORAGE_EMULATOR_HOST": "{url}"}, host, storage)
        with proxy.running():
            yield proxy


class _Connection:
    """What a server's handler reads a request from and writes its answer to, as far as it knows of sockets."""

    def __init__(self, request: bytes) -> None:
        self._request, self.answer = io.BytesIO(request), b""

    def makefile(self, *_: Any) -> io.BytesIO:
        return self._request

    def sendall(self, part: bytes) -> None:
        self.answer += part


def _answer(emulator: HTTPServer, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
    lines = [f"{method} {path} HTTP/1.0", *(f"{name}: {value}" for name, value in headers.items())]
    lines.append(f"Content-Length: {len(body)}")
    connection = _Connection("".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1") + body)
    emulator.finish_request(cast("Any", connection), ("127.0.0.1", 0))
    answer = HTTPResponse(cast("Any", _Connection(connection.answer)), method=method)
    answer.begin()
    return Answer(answer.status, answer.getheaders(), answer.read())


def _google_error(status: int, message: str) -> Answer:
    body = json.dumps({"error": {"code": status, "message": message, "errors": [{"message": message}]}})
    return Answer(status, [("Content-Type", "application/json")], body.encode())


def _name_in(body: bytes) -> str:
    """The object's name in the metadata that starts an upload: a JSON object, or a first part that is one."""
    return str(json.JSONDecoder().raw_decode(body[body.index(b"{") :].decode("utf-8", "replace"))[0]["name"])
