"""S3 on loopback, and with the habits of servers that speak it in part: moto behind a proxy of ours."""

import contextlib
import hashlib
import re
from collections.abc import Iterator
from typing import Any

from moto.server import ThreadedMotoServer

from tests.storage.servers import Answer, Proxy

_CHECKSUMS = re.compile("x-amz-(checksum-.*|sdk-checksum-.*|trailer)", re.IGNORECASE)
_CONDITIONS = {"if-match", "if-none-match"}
_MISMATCH = "The provided 'x-amz-content-sha256' header does not match what was computed."


class AmazonProxy(Proxy):
    """Answers as servers do that are not Amazon's, by their `habits`.

    "no checksums": refuses the newer headers by name, as Backblaze B2 does, and holds a body against its signature;
    "no conditions": knows no conditional writes, and says so; "no notice": writes whatever the condition;
    "requester pays": lets in who says that he pays. All its buckets are below the path `below`.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.habits: set[str] = set()
        self.below = ""

    def pass_on(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        if not path.startswith(f"{self.below}/"):
            return _error(404, "NoSuchPath", "nothing here")
        names = {name.lower() for name in headers}
        if "no checksums" in self.habits:
            if unknown := sorted(filter(_CHECKSUMS.fullmatch, names)):
                return _error(400, "InvalidArgument", f"Unsupported header '{unknown[0]}' received for this API call.")
            signed = next((headers[name] for name in headers if name.lower() == "x-amz-content-sha256"), "")
            if method in {"PUT", "POST"} and signed and signed != hashlib.sha256(body).hexdigest():
                return _error(400, "XAmzContentSHA256Mismatch", _MISMATCH)
        if "no conditions" in self.habits and names & _CONDITIONS:
            return _error(501, "NotImplemented", "A header you provided implies functionality that is not implemented")
        if "requester pays" in self.habits and "x-amz-request-payer" not in names:
            return _error(403, "AccessDenied", "Access Denied")
        if "no notice" in self.habits:
            headers = {name: value for name, value in headers.items() if name.lower() not in _CONDITIONS}
        return super().pass_on(method, path.removeprefix(self.below), headers, body)


def _error(status: int, code: str, message: str) -> Answer:
    text = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Answer(status, [("Content-Type", "application/xml")], text.encode())


@contextlib.contextmanager
def amazon_server(host: str = "127.0.0.1") -> Iterator[AmazonProxy]:
    """An S3; `environment` is what a client needs."""
    moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    moto.start()
    environment = {
        "AWS_ENDPOINT_URL": "{url}",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }
    try:
        with AmazonProxy(moto.get_host_and_port(), environment, host).running() as proxy:
            yield proxy
    finally:
        moto.stop()
