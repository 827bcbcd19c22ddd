"""Fetching a source over http(s) without letting a URL reach into the local network.

The address that is actually connected to decides whether a host is private, on every hop. So neither a redirect nor a
name that resolves to an internal address gets through. No server can stall a download: silence, speed, total time and
the size of what precedes the text are limited.
"""

import base64
import http.client
import io
import ipaddress
import string
import time
import urllib.error
import urllib.request
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlsplit

from components.artifacts.errors import SourceError

TIMEOUT_SECONDS = 60
"""How long a server may be silent, and the time over which its speed is measured."""
LEAST_BYTES_PER_SECOND = 1_000
WHOLE_SECONDS = 86_400
MAXIMUM_HEAD_BYTES = 1 << 20
"""How much may precede the text: headers and interim responses, of which there may be any number."""
CHUNK_BYTES = 1 << 20
SETTLED_SECONDS = 60
_INTERIM = range(102, 200)
_REDIRECTS = range(300, 400)


class _LimitError(http.client.HTTPException):
    """The server exceeds a limit; the message names it."""


class _Pace:
    """Holds a download, redirects included, to its limits of time and speed."""

    def __init__(self) -> None:
        self._began = self._measured_from = time.monotonic()
        self._bytes = 0

    def before(self) -> float:
        """How long the next piece may take [s].

        Raises:
            _LimitError: no time is left, or too little arrived recently.
        """
        left, now = self.left(), time.monotonic()
        if (passed := now - self._measured_from) >= TIMEOUT_SECONDS:
            if self._bytes < LEAST_BYTES_PER_SECOND * passed:
                raise _LimitError(f"less than {LEAST_BYTES_PER_SECOND:,} bytes a second came for {TIMEOUT_SECONDS:g} s")
            self._measured_from, self._bytes = now, 0
        return min(TIMEOUT_SECONDS, left)

    def left(self) -> float:
        """How much of the total time is left [s].

        Raises:
            _LimitError: none is left.
        """
        left = self._began + WHOLE_SECONDS - time.monotonic()
        if left <= 0:
            raise _LimitError(f"it takes more than {WHOLE_SECONDS:,} s")
        return left

    def came(self, count: int) -> None:
        """Count the bytes of a piece."""
        self._bytes += count


class _Paced(io.RawIOBase):
    """Reads a socket, at the required pace."""

    def __init__(self, connection: Any, pace: _Pace) -> None:
        self._connection, self._raw, self._pace = connection, connection.makefile("rb", buffering=0), pace
        self._head_bytes: int | None = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """The next piece."""
        self._connection.settimeout(self._pace.before())
        try:
            count: int = self._raw.readinto(buffer)
        except TimeoutError:
            self._pace.left()  # raises if the total time is used up
            raise
        self._pace.came(count)
        if self._head_bytes is not None:
            self._head_bytes += count
            if self._head_bytes > MAXIMUM_HEAD_BYTES + io.DEFAULT_BUFFER_SIZE:
                raise _LimitError(f"more than {MAXIMUM_HEAD_BYTES:,} bytes came before the text")
        return count

    def head_has_ended(self) -> None:
        """Treat what follows as the text."""
        self._head_bytes = None

    def close(self) -> None:
        """Close what is read."""
        self._raw.close()
        super().close()


def fetch(uri: str, target: Path, *, name: str, allow_private_hosts: bool, maximum_bytes: int) -> None:
    """Download `uri` to the file `target`; errors call it `name`, which holds no secrets.

    Raises:
        SourceError: it can't be fetched whole, is larger than `maximum_bytes`, or is at a private address.
    """
    opener = _opener(allow_private_hosts=allow_private_hosts)
    try:
        with opener.open(_request(uri, "GET"), timeout=TIMEOUT_SECONDS) as answer, target.open("wb") as file:
            _copy(answer, file, name, maximum_bytes)
    except urllib.error.HTTPError as error:
        # Not error.reason: for a redirect that is not followed it holds the target, secrets included.
        hint = "; that redirect can't be followed" if error.code in _REDIRECTS else ""
        phrase = http.client.responses.get(error.code, "")
        raise SourceError(f"{name}: the server answered {f'{error.code} {phrase}'.strip()}{hint}") from None
    except urllib.error.URLError as error:
        raise SourceError(f"{name}: can't be reached ({error.reason})") from None
    except http.client.InvalidURL:
        raise SourceError(f"{name}: not a valid URL, or redirected to an invalid one") from None
    except (http.client.HTTPException, OSError, ValueError) as error:
        raise SourceError(f"{name}: the download broke off ({error}); try again") from None


def version(uri: str, *, allow_private_hosts: bool) -> str:
    """The version that the server gives for `uri`; empty if it gives none or can't be asked."""
    opener = _opener(allow_private_hosts=allow_private_hosts)
    request = _request(uri, "HEAD")
    try:
        with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
            said = [answer.headers.get(name, "") for name in ("ETag", "Last-Modified", "Content-Length")]
            said[1] = said[1] if _is_settled(said[1], answer.headers.get("Date", "")) else ""
    except (http.client.HTTPException, OSError, ValueError, SourceError):
        return ""
    # Without the user: this name is stored, and a password can be guessed from its digest.
    return " ".join([request.full_url, *said]) if said[0] or said[1] else ""


def _is_settled(modified: str, now: str) -> bool:
    """Whether a modification time identifies a version; a page generated for each request has the current time."""
    try:
        return (parsedate_to_datetime(now) - parsedate_to_datetime(modified)).total_seconds() >= SETTLED_SECONDS
    except (TypeError, ValueError):
        return bool(modified)


def _request(uri: str, method: str) -> urllib.request.Request:
    """A request for `uri`; its user information goes into a header that redirects do not carry along."""
    parts = urlsplit(uri)
    user, _, host = parts.netloc.rpartition("@")
    path, query = (quote(part, safe=string.punctuation) for part in (parts.path, parts.query))
    bare = parts._replace(netloc=host, path=path, query=query, fragment="").geturl()
    request = urllib.request.Request(bare, method=method, headers={"User-Agent": "quillflow"})  # noqa: S310 -- http(s)
    if user:
        token = base64.b64encode(unquote_to_bytes(user)).decode()
        request.add_unredirected_header("Authorization", f"Basic {token}")
    return request


def _copy(answer: Any, file: Any, name: str, maximum_bytes: int) -> None:
    expected = answer.headers.get("Content-Length")
    received = 0
    while chunk := answer.read(CHUNK_BYTES):
        received += len(chunk)
        if received > maximum_bytes:
            raise SourceError(
                f"{name}: larger than ingest.maximum_bytes ({maximum_bytes:,}); raise it if this is intended"
            )
        file.write(chunk)
    if expected is not None and received != int(expected):
        raise SourceError(f"{name}: the download broke off after {received:,} of {int(expected):,} bytes; try again")


def _opener(*, allow_private_hosts: bool) -> urllib.request.OpenerDirector:
    """An opener for http and https alone; urllib's usual one would follow a redirect to ftp too.

    A proxy hides the peer's address, so it is used only if private hosts are allowed.
    """
    opener = urllib.request.OpenerDirector()
    opener.add_handler(urllib.request.ProxyHandler(None if allow_private_hosts else {}))
    opener.add_handler(_handler(allow_private_hosts=allow_private_hosts))
    opener.add_handler(urllib.request.HTTPRedirectHandler())
    opener.add_handler(urllib.request.HTTPDefaultErrorHandler())
    opener.add_handler(urllib.request.HTTPErrorProcessor())
    opener.add_handler(urllib.request.UnknownHandler())
    return opener


def _handler(*, allow_private_hosts: bool) -> Any:
    """A handler for an opener whose connections check the peer's address before they send anything.

    All of an opener's connections share one pace: they are the hops of one download.
    """
    pace = _Pace()

    class Response(http.client.HTTPResponse):
        def __init__(self, connection: Any, *arguments: Any, **named: Any) -> None:
            super().__init__(connection, *arguments, **named)
            self.fp.close()
            self._paced = _Paced(connection, pace)
            self.fp = io.BufferedReader(self._paced)

        def begin(self) -> None:
            """Read up to the text, past all interim responses."""
            super().begin()
            while self.status in _INTERIM:
                self.headers = self.msg = None  # type: ignore[assignment] # as before any answer
                super().begin()
            self._paced.head_has_ended()

    class Connection(http.client.HTTPConnection):
        response_class = Response

        def connect(self) -> None:
            super().connect()
            address = ipaddress.ip_address(self.sock.getpeername()[0].partition("%")[0])
            if not (address.is_global or allow_private_hosts):
                self.close()
                raise SourceError(
                    f"{self.host} is at the private address {address}; to allow this, set ingest.allow_private_hosts"
                )

    class SecureConnection(http.client.HTTPSConnection, Connection):
        """Connects as Connection does, then shakes hands: HTTPSConnection comes first."""

    class Handler(urllib.request.HTTPHandler, urllib.request.HTTPSHandler):
        def http_open(self, request: Any) -> Any:
            return self.do_open(Connection, request)

        def https_open(self, request: Any) -> Any:
            return self.do_open(SecureConnection, request)

    return Handler()
