"""S3 on loopback, and with the habits of servers that speak it in part: moto behind a proxy of ours."""

import contextlib
import hashlib
import re
from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import unquote

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.test import EnvironBuilder, run_wsgi_app

from tests.storage.servers import Answer, Proxy

_CHECKSUMS = re.compile("x-amz-(checksum-.*|sdk-checksum-.*|trailer)")
_CONDITIONS = {"if-match", "if-none-match"}
_MISMATCH = "The provided 'x-amz-content-sha256' header does not match what was computed."


class AmazonProxy(Proxy):
    """Answers as servers do that are not Amazon's, by their `habits`; all its buckets are below the path `below`.

    "no checksums": refuses the newer headers by name, as Backblaze B2 does, and holds a body against its signature;
    "no conditions", "unknown conditions": knows no conditional writes, and says so in the one way or the other;
    "no notice", "no notice of versions": writes whatever the condition, or whatever If-Match, says;
    "requester pays": lets in who says that he pays.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.habits: set[str] = set()
        self.below = ""

    def refused(self, status: int, message: str) -> Answer:
        return _error(status, f"Fault{status}", message)

    def make_bucket(self, name: str) -> None:
        """A fresh bucket, made over the wire."""
        signed = "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/s3/aws4_request"
        self.expect_made("PUT", f"/{name}", Authorization=signed)

    def pass_on(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        given = {name.lower(): value for name, value in headers.items()}
        if not path.startswith(f"{self.below}/"):
            return _error(404, "NoSuchPath", "nothing here")
        if refusal := self._refusal(given, body if method in {"PUT", "POST"} else None):
            return _error(*refusal)
        passed_over = _CONDITIONS if "no notice" in self.habits else {"if-match"}
        if self.habits & {"no notice", "no notice of versions"}:
            headers = {name: value for name, value in headers.items() if name.lower() not in passed_over}
        return super().pass_on(method, path.removeprefix(self.below), headers, body)

    def _refusal(self, given: dict[str, str], body: bytes | None) -> tuple[int, str, str] | None:
        """The status, code and message for what a server with these habits does not take."""
        checksums, conditions = sorted(filter(_CHECKSUMS.fullmatch, given)), sorted(given.keys() & _CONDITIONS)
        unknown = checksums if "no checksums" in self.habits else []
        unknown = unknown + (conditions if "unknown conditions" in self.habits else [])
        if unknown:
            return 400, "InvalidArgument", f"Unsupported header '{unknown[0]}' received for this API call."
        digest = hashlib.sha256(body or b"").hexdigest()
        if "no checksums" in self.habits and body is not None and given.get("x-amz-content-sha256", digest) != digest:
            return 400, "XAmzContentSHA256Mismatch", _MISMATCH
        if "no conditions" in self.habits and conditions:
            return 501, "NotImplemented", "A header you provided implies functionality that is not implemented"
        if "requester pays" in self.habits and "x-amz-request-payer" not in given:
            return 403, "AccessDenied", "Access Denied"
        return None


def _error(status: int, code: str, message: str) -> Answer:
    text = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Answer(status, [("Content-Type", "application/xml")], text.encode())


@contextlib.contextmanager
def amazon_server(host: str = "127.0.0.1") -> Iterator[AmazonProxy]:
    """An S3; `environment` is what a client needs."""
    environment = {
        "AWS_ENDPOINT_URL": "{url}",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }
    moto = DomainDispatcherApplication(create_backend_app)
    with AmazonProxy(partial(_answer, moto), environment, host).running() as proxy:
        yield proxy


def _answer(moto: DomainDispatcherApplication, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
    place, _, query = path.partition("?")
    environment = {
        **EnvironBuilder(method=method, headers=headers, data=body).get_environ(),
        "PATH_INFO": unquote(place, "latin-1"),
        "QUERY_STRING": query,
        "RAW_URI": path,
        "CONTENT_LENGTH": str(len(body)),
    }
    parts, status, answered = run_wsgi_app(moto, environment, buffered=True)
    return Answer(int(status.split()[0]), list(answered), b"".join(parts))
