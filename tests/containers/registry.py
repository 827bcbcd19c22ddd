"""A registry of images on loopback that remembers what was pushed to it, of large layers only that they were."""

import hashlib
import itertools
import re
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

KEPT_BYTES = 1 << 20
ALWAYS = {"Docker-Distribution-Api-Version": "registry/2.0"}


class Registry(ThreadingHTTPServer):
    """The upload half of the OCI distribution protocol; `manifests` has what was pushed, by name and tag."""

    daemon_threads = True

    def __init__(self, keys: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        certificate = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=registry"]
        certificate += [
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-keyout",
            f"{keys}/key",
            "-out",
            f"{keys}/certificate",
        ]
        subprocess.run(certificate, capture_output=True, check=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(keys / "certificate", keys / "key")
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.address = f"127.0.0.1:{self.server_port}"
        self.manifests: dict[tuple[str, str], tuple[str, bytes]] = {}
        self.blobs: dict[str, bytes] = {}
        self.uploads: dict[str, bytes] = {}
        self.numbers = itertools.count()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Registry

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        if found := re.fullmatch(r"/v2/(.+)/manifests/(.+)", self.path):
            kind, body = self.server.manifests.get((found[1], found[2]), ("", b""))
            if body:
                self._answer(200, body, {"Content-Type": kind, "Docker-Content-Digest": _digest(body)})
            else:
                self._answer(404, b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}')
        elif found := re.fullmatch(r"/v2/(.+)/blobs/(.+)", self.path):
            self._answer(200 if found[2] in self.server.blobs else 404, self.server.blobs.get(found[2], b""))
        else:
            self._answer(200 if self.path == "/v2/" else 404)

    def do_POST(self) -> None:
        self._body()
        self._answer(202, headers={"Location": f"{urlsplit(self.path).path}{next(self.server.numbers)}"})

    def do_PATCH(self) -> None:
        self.server.uploads[self.path], size = self._body()
        self._answer(202, headers={"Location": self.path, "Range": f"0-{size - 1}"})

    def do_PUT(self) -> None:
        body, _ = self._body()
        if found := re.fullmatch(r"/v2/(.+)/manifests/(.+)", self.path):
            for reference in (found[2], _digest(body)):
                self.server.manifests[found[1], reference] = (self.headers["Content-Type"], body)
            self._answer(201, headers={"Docker-Content-Digest": _digest(body)})
        else:
            place = urlsplit(self.path)
            digest = parse_qs(place.query)["digest"][0]
            self.server.blobs[digest] = self.server.uploads.pop(place.path, b"") + body
            self._answer(201, headers={"Docker-Content-Digest": digest})

    def _body(self) -> tuple[bytes, int]:
        """What comes, in one piece or in chunks, as far as it is kept; and how many bytes came."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            return body, len(body)
        body, total = b"", 0
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)[: max(0, KEPT_BYTES - total)]
            total += size
            self.rfile.readline()
        self.rfile.readline()
        return body, total

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**ALWAYS, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def _digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


@contextmanager
def registry(keys: Path) -> Iterator[Registry]:
    """A registry that runs, with a certificate of its own making, kept in the directory `keys`."""
    server = Registry(keys)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
