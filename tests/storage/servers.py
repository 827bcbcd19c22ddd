"""Object stores on loopback whose faults tests choose: gcp-storage-emulator and moto, each behind a proxy of ours.

The emulator heeds no precondition and moto judges one without a lock, so both proxies let one change through at a
time and Google's judges the preconditions itself. Amazon's is in amazon.py.
"""

import contextlib
import http.client
import json
import os
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

from gcp_storage_emulator.server import create_server

STALL_SECONDS = 20.0
HOP_HEADERS = {"connection", "keep-alive", "transfer-encoding", "content-length", "expect"}
BROKEN = ("reset", "lost", "stall")
STATUSES = {str(status): status for status in (400, 401, 403, 404, 405, 408, 409, 429, *range(500, 505))}


@dataclass
class Faults:
    """What is to go wrong, in turn; and what was asked for, as "METHOD path?query" and what `described` adds."""

    seen: list[str] = field(default_factory=list)
    _waiting: list[tuple[Callable[[str], bool], str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _back_at: float = 0.0
    _latency: float = 0.0
    _late: str = ""
    released: threading.Event = field(default_factory=threading.Event)

    def add(self, fault: str, when: str = "", *, times: int = 1) -> None:
        """Answer the next `times` requests that match the regular expression `when` with a fault.

        A number is that status. "reset": the connection breaks before the request gets through; "lost": after it;
        "stall": no answer comes; "flip": one bit of the body is wrong; "cut": the body breaks off in the middle;
        "short": half the body comes as if it were all; "spoil": one bit of what is sent is wrong.
        """
        with self._lock:
            self._waiting += [(lambda request: re.search(when, request) is not None, fault)] * times

    def go_away(self, seconds: float) -> None:
        """Break all connections from now on, for so long."""
        self._back_at = time.monotonic() + seconds

    def be_late(self, seconds: float, when: str = "") -> None:
        """Hold back each answer to a request that matches for so long."""
        self._latency, self._late = seconds, when

    def take(self, request: str) -> str:
        time.sleep(self._latency if re.search(self._late, request) else 0)
        with self._lock:
            self.seen.append(request)
            if time.monotonic() < self._back_at:
                return "reset"
            for index, (matches, fault) in enumerate(self._waiting):
                if matches(request):
                    del self._waiting[index]
                    return fault
        return ""

    def count(self, when: str) -> int:
        """How many requests so far match."""
        with self._lock:
            return sum(re.search(when, request) is not None for request in self.seen)

    def left(self) -> int:
        """How many faults have met no request."""
        with self._lock:
            return len(self._waiting)

    def clear(self) -> None:
        """Forget everything; stalled requests end."""
        with self._lock:
            self.seen.clear()
            self._waiting.clear()
            self._back_at = self._latency = 0.0
            self.released.set()
            self.released = threading.Event()


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")


class Proxy(ThreadingHTTPServer):
    """Passes requests on to `upstream`, one at a time, and faults in between."""

    daemon_threads = True

    def __init__(self, upstream: tuple[str, int], environment: dict[str, str], host: str) -> None:
        super().__init__((host, 0), _Handler)
        self.faults = Faults()
        self.url = f"http://{host}:{self.server_address[1]}"
        self.environment = {name: value.format(url=self.url) for name, value in environment.items()}
        self._upstream = upstream
        self.lock = threading.RLock()

    @contextlib.contextmanager
    def running(self) -> Iterator["Proxy"]:
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.faults.clear()
            self.shutdown()
            self.server_close()
            thread.join(10)

    def pass_on(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        connection = http.client.HTTPConnection(*self._upstream, timeout=30)
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()

    def described(self, method: str, path: str, headers: Any, body: bytes) -> str:  # noqa: ARG002
        """A request as rules for faults see it; empty for what no rule is to see."""
        return f"{method} {unquote(path)}"

    def refused(self, status: int) -> Answer:
        """The store's own answer for a status."""
        message = f"fault {status}\nof the test"
        if isinstance(self, GcsProxy):
            return _google_error(status, message)
        text = f"<Error><Code>Fault{status}</Code><Message>{message}</Message></Error>"
        return Answer(status, [("Content-Type", "application/xml")], text.encode())

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients of these tests hang up."""


class GcsProxy(Proxy):
    """Judges generations as Google does, says what is missing and which generation it sends, and lists page by page."""

    def __init__(self, upstream: tuple[str, int], environment: dict[str, str], host: str, storage: Any) -> None:
        super().__init__(upstream, environment, host)
        self.storage = storage
        self.page = 1000
        self._sessions: dict[str, tuple[str, str, str]] = {}

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
        """How much of an upload has come, where a chunk comes again: Google tells, the emulator takes offence."""
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


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        proxy = cast("Proxy", self.server)
        released = proxy.faults.released
        try:
            body = self._body()
        except EOFError:
            self._break_off()
            return
        request = proxy.described(self.command, self.path, self.headers, body)
        fault = proxy.faults.take(request) if request else ""
        if fault in STATUSES:
            self._answer(proxy.refused(STATUSES[fault]))
        elif fault == "reset":
            self._break_off()
        elif fault == "stall":
            released.wait(STALL_SECONDS)
            self._break_off()
        else:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_HEADERS}
            body = _flipped(body) if fault == "spoil" else body
            with proxy.lock:
                answer = proxy.pass_on(self.command, self.path, headers, body)
            if fault == "lost":
                self._break_off()
            else:
                self._answer(answer, fault)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = _serve  # noqa: N815 -- the base class's names

    def _body(self) -> bytes:
        """The whole body; a store keeps nothing of an upload whose client died amid it."""
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            chunks = []
            while size := int(self._whole(self.rfile.readline()).split(b";")[0], 16):
                chunks.append(self._whole(self.rfile.read(size), size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)
        length = int(self.headers.get("Content-Length") or 0)
        return self._whole(self.rfile.read(length), length)

    @staticmethod
    def _whole(received: bytes, size: int = 1) -> bytes:
        if len(received) < size:
            raise EOFError
        return received

    def _answer(self, answer: Answer, fault: str = "") -> None:
        body, length = answer.body, str(len(answer.body))
        if fault == "flip":
            body = _flipped(body)
        elif fault in {"cut", "short"}:
            body = body[: len(body) // 2]
            length = str(len(body)) if fault == "short" else length
        if self.command == "HEAD":
            body, length = b"", answer.header("content-length") or "0"
        self.send_response(answer.status)
        for name, value in answer.headers:
            if name.lower() not in HOP_HEADERS | {"date", "server"}:
                self.send_header(name, value)
        self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
        if fault == "cut":
            self.close_connection = True

    def _break_off(self) -> None:
        """End the connection by a reset."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class's name
        """Keep quiet."""


@contextlib.contextmanager
def google(host: str = "127.0.0.1") -> Iterator[GcsProxy]:
    """A Google Cloud Storage; `environment` is what a client needs."""
    emulator = create_server("127.0.0.1", 0, in_memory=True)
    emulator.start()
    try:
        address = emulator._api._httpd.server_address
        proxy = GcsProxy(address, {"STORAGE_EMULATOR_HOST": "{url}"}, host, emulator._storage)
        with proxy.running():
            yield proxy
    finally:
        emulator.stop()


def make_bucket(proxy: Proxy, name: str) -> None:
    """A fresh bucket, made over the wire, since clients can't make Google's without a project."""
    method, path, body = "PUT", f"/{name}", b""
    headers = {"Authorization": "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/s3/aws4_request"}
    if isinstance(proxy, GcsProxy):
        method, path, body = "POST", "/storage/v1/b?project=test", json.dumps({"name": name}).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    answer = proxy.pass_on(method, path, {"Host": urlsplit(proxy.url).netloc, **headers}, body)
    assert answer.status == 200, answer


def _flipped(body: bytes) -> bytes:
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]


def _google_error(status: int, message: str) -> Answer:
    body = json.dumps({"error": {"code": status, "message": message, "errors": [{"message": message}]}})
    return Answer(status, [("Content-Type", "application/json")], body.encode())


def _name_in(body: bytes) -> str:
    """The object's name in the metadata that starts an upload: a JSON object, or a first part that is one."""
    return str(json.JSONDecoder().raw_decode(body[body.index(b"{") :].decode("utf-8", "replace"))[0]["name"])
