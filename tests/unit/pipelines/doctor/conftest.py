"""A machine that has nothing, `quillflow doctor` on it, and servers for it to ask."""

import json
import os
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from pipelines.commands.main import main

Checks = dict[str, dict[str, Any]]
Doctor = Callable[..., tuple[int, Checks]]
Answer = Callable[[str, Any], tuple[int, str, str]]
Serve = Callable[[Answer], str]


@pytest.fixture(autouse=True)
def nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credential, engine, GPU or endpoint of the machine that tests run on."""
    for name in os.environ:
        if name.startswith(("AWS_", "GOOGLE_", "KF_", "KFP_", "QUILLFLOW_", "STORAGE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str]) -> Doctor:
    """`quillflow doctor --json`: its exit code and the checks by name."""

    def call(*arguments: str) -> tuple[int, Checks]:
        capsys.readouterr()
        code = main(["doctor", "--json", *arguments])
        printed = json.loads(capsys.readouterr().out)
        assert printed["ok"] == (code == 0)
        return code, {check["name"]: check for check in printed["checks"]}

    return call


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server on loopback that answers a path and headers with status, content type and body."""
    servers = []

    def start(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, kind, body = answer(self.path, self.headers)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        return f"127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
