"""Fetching a source over http(s) without letting a URL reach into the local network.

Whether a host is private is judged by the address actually connected to, on every hop, so neither a
redirect nor a name that resolves to an inner address gets through.
"""

import base64
import http.client
import ipaddress
import string
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlsplit

from components.artifacts.errors import SourceError

TIMEOUT_SECONDS = 60
CHUNK_BYTES = 1 << 20
_REDIRECTS = range(300, 400)


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
        # Not error.reason: of a redirect that is not followed it says where to, secrets and all.
        hint = "; that redirect can't be followed" if error.code in _REDIRECTS else ""
        phrase = http.client.responses.get(error.code, "")
        raise SourceError(f"{name}: the server answered {f'{error.code} {phrase}'.strip()}{hint}") from None
    except urllib.error.URLError as error:
        raise SourceError(f"{name}: can't be reached ({error.reason})") from None
    except http.client.InvalidURL:
        raise SourceError(f"{name}: no valid URL, or redirected to none") from None
    except (http.client.HTTPException, OSError, ValueError) as error:
        raise SourceError(f"{name}: the download broke off ({error}); try again") from None


def version(uri: str, *, allow_private_hosts: bool) -> str:
    """What the server says of the version of what is at `uri`; empty where it says nothing or can't be asked."""
    opener = _opener(allow_private_hosts=allow_private_hosts)
    request = _request(uri, "HEAD")
    try:
        with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
            said = [answer.headers.get(name, "") for name in ("ETag", "Last-Modified", "Content-Length")]
    except (http.client.HTTPException, OSError, ValueError, SourceError):
        return ""
    # Without the user: what names a version is written down, and a password can be guessed by its digest.
    return " ".join([request.full_url, *said]) if said[0] or said[1] else ""


def _request(uri: str, method: str) -> urllib.request.Request:
    """A request for `uri`, its user information in a header that no redirect takes elsewhere."""
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
            raise SourceError(f"{name}: larger than ingest.maximum_bytes ({maximum_bytes:,}); raise it if meant")
        file.write(chunk)
    if expected is not None and received != int(expected):
        raise SourceError(f"{name}: the download broke off after {received:,} of {int(expected):,} bytes; try again")


def _opener(*, allow_private_hosts: bool) -> urllib.request.OpenerDirector:
    """An opener for http and https alone; urllib's usual one would follow a redirect to ftp too.

    A proxy connects in our place, which hides the peer, so it is used only where private hosts are allowed.
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
    """An opener's handler whose connections look at the peer's address before they send anything."""

    class Connection(http.client.HTTPConnection):
        def connect(self) -> None:
            super().connect()
            address = ipaddress.ip_address(self.sock.getpeername()[0].partition("%")[0])
            if not (address.is_global or allow_private_hosts):
                self.close()
                raise SourceError(
                    f"{self.host} is at the private address {address}; set ingest.allow_private_hosts if that is meant"
                )

    class SecureConnection(http.client.HTTPSConnection, Connection):
        """Connects as Connection does, then shakes hands: HTTPSConnection comes first."""

    class Handler(urllib.request.HTTPHandler, urllib.request.HTTPSHandler):
        def http_open(self, request: Any) -> Any:
            return self.do_open(Connection, request)

        def https_open(self, request: Any) -> Any:
            return self.do_open(SecureConnection, request)

    return Handler()
