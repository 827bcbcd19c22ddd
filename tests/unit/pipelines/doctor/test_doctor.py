"""`quillflow doctor`: what is available, what is not, and what to do about it."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from components.artifacts.storage.local import LocalStore
from pipelines.build.images import checkout_tag, image
from pipelines.commands.main import main
from pipelines.doctor import machine

Checks = dict[str, dict[str, Any]]
Doctor = Callable[..., tuple[int, Checks]]
Answer = Callable[[str, Any], tuple[int, str, str]]
Serve = Callable[[Answer], str]
PATH = os.environ["PATH"]
HEALTH = "/apis/v2beta1/healthz"
VERSION = {"Version": "29.1", "ApiVersion": "1.44", "MinAPIVersion": "1.24"}


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


def program(tmp_path: Path, name: str, script: str) -> None:
    path = tmp_path / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_a_bare_machine_is_warned_of_what_it_lacks_but_nothing_fails(doctor: Doctor) -> None:
    code, checks = doctor()
    assert code == 0
    assert {name: check["verdict"] for name, check in checks.items() if name not in {"cores", "disk"}} == {
        "python": "ok",
        "packages": "ok",
        "gpu": "warn",
        "container engine": "warn",
        "gs credentials": "warn",
        "s3 credentials": "warn",
    }
    assert all(check["advice"] for check in checks.values() if check["verdict"] != "ok")
    assert "tensorflow-cpu 2." in checks["packages"]["found"]
    assert "kfp 2.17" in checks["packages"]["found"]


def test_lines_for_a_person_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--docker"]) == 1
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert any(line.startswith("ok    python             3.") for line in lines)
    place = next(
        number for number, line in enumerate(lines) if line.startswith("fail  container engine   none responds")
    )
    assert lines[place + 1].strip().startswith("start Docker")
    assert "\x1b" not in out


@pytest.mark.parametrize(("flag", "name"), [("--docker", "container engine"), ("--gpu", "gpu")])
def test_what_was_asked_for_and_is_not_there_fails(doctor: Doctor, flag: str, name: str) -> None:
    code, checks = doctor(flag)
    assert (code, checks[name]["verdict"]) == (1, "fail")
    assert checks[name]["advice"]


def test_a_missing_package_fails(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "NEEDED", ("pydantic", "no-such-package"))
    code, checks = doctor()
    assert (code, checks["packages"]["verdict"]) == (1, "fail")
    assert checks["packages"]["found"].startswith("no-such-package not installed")
    assert "make setup" in checks["packages"]["advice"]


def test_a_gpu_that_this_tensorflow_does_not_use_is_seen(
    doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "nvidia-smi", "echo 'NVIDIA L4, 23034 MiB'")
    installed = machine._version
    monkeypatch.setattr(machine, "_version", lambda name: "" if name == "tensorflow" else installed(name))
    code, checks = doctor()
    assert code == 0
    assert checks["gpu"]["found"] == "NVIDIA L4, 23034 MiB"
    assert checks["cudnn"]["verdict"] == "warn"
    assert "train-gpu" in checks["cudnn"]["advice"]
    assert doctor("--gpu")[0] == 1


def test_a_gpu_whose_driver_does_not_answer_is_none(doctor: Doctor, tmp_path: Path) -> None:
    program(tmp_path, "nvidia-smi", "echo no driver; exit 9")
    assert doctor()[1]["gpu"]["verdict"] == "warn"


def test_a_place_is_written_to_on_condition_and_left_as_it_was(doctor: Doctor, tmp_path: Path) -> None:
    code, checks = doctor("--root", str(tmp_path / "runs"))
    assert code == 0
    assert [checks[name]["verdict"] for name in ("write", "conditional write", "delete")] == ["ok"] * 3
    assert not [path for path in (tmp_path / "runs").rglob("*") if path.is_file()]


def test_a_store_that_heeds_no_condition_fails(doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = LocalStore.write
    monkeypatch.setattr(LocalStore, "write", lambda self, key, data, **_: write(self, key, data))
    code, checks = doctor("--root", str(tmp_path / "runs"))
    assert (code, checks["conditional write"]["verdict"]) == (1, "fail")
    assert "If-None-Match" in checks["conditional write"]["advice"]
    assert checks["delete"]["verdict"] == "ok"


def test_a_place_that_can_not_be_written_to_fails(doctor: Doctor, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    code, checks = doctor("--root", str(tmp_path / "file" / "runs"))
    assert (code, checks["write"]["verdict"]) == (1, "fail")
    assert "conditional write" not in checks


def test_little_room_is_a_warning(doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    code, checks = doctor()
    assert (code, checks["disk"]["verdict"]) == (0, "warn")
    assert checks["disk"]["found"].startswith("1.0 MB free at ")


def test_an_engine_is_asked_for_its_images(doctor: Doctor, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    tags: list[str] = []

    def answer(path: str, _: Any) -> tuple[int, str, str]:
        image = {"Id": "sha256:1", "RepoTags": tags}
        body: Any = VERSION if path.endswith("/version") else image
        return 200, "application/json", json.dumps([image] if "/images/json" in path else body)

    monkeypatch.setenv("DOCKER_HOST", f"tcp://{serve(answer)}")
    code, checks = doctor("--docker")
    assert (code, checks["images"]["found"]) == (1, "this checkout's are unknown")  # no git on the path
    assert checks["container engine"]["found"] == "Docker 29.1"
    monkeypatch.setenv("PATH", PATH)
    needed = [image(stage, tag=checkout_tag()) for stage in ("ingest", "vectorize", "train", "sample")]
    tags += ["quillflow/train:of-another-commit", "debian:12", *needed[1:]]
    code, checks = doctor("--docker")
    assert (code, checks["images"]["found"]) == (1, f"this checkout's {needed[0]} missing")
    tags += needed[:1]
    code, checks = doctor("--docker")
    assert (code, checks["images"]["found"]) == (0, ", ".join(needed))


def test_an_endpoint_that_answers_is_well(doctor: Doctor, serve: Serve) -> None:
    paths = []

    def answer(path: str, _: Any) -> tuple[int, str, str]:
        paths.append(path)
        return 200, "application/json", '{"multiUser": false}'

    address = f"http://{serve(answer)}"
    code, checks = doctor("--endpoint", f"{address}/")
    assert (code, checks["endpoint"]) == (
        0,
        {
            "name": "endpoint",
            "verdict": "ok",
            "found": f"{address}/ responds and has all runs in one namespace",
            "advice": "",
        },
    )
    assert paths == [HEALTH]


def test_an_environments_endpoint_is_asked(doctor: Doctor, serve: Serve, tmp_path: Path) -> None:
    health = json.dumps({"multi_user": True})
    address = f"http://{serve(lambda *_: (200, 'application/json', health))}"
    mine = tmp_path / "mine.yaml"
    mine.write_text(f"cluster: {{endpoint: '{address}'}}\n")
    code, checks = doctor("--environment", str(mine))
    assert (code, checks["endpoint"]["found"]) == (0, f"{address} responds and separates namespaces")


def test_an_endpoint_that_wants_a_token_is_given_the_one_in_the_environment_and_it_is_never_shown(
    doctor: Doctor, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(_: str, headers: Any) -> tuple[int, str, str]:
        status = 200 if headers["Authorization"] == "Bearer s3cret" else 401
        return status, "application/json", "{}"

    monkeypatch.setenv("KF_PIPELINES_ENDPOINT", f"http://{serve(answer)}")
    code, checks = doctor()
    assert (code, checks["endpoint"]["verdict"]) == (1, "fail")
    assert "KFP_EXISTING_TOKEN" in checks["endpoint"]["found"]
    monkeypatch.setenv("KFP_EXISTING_TOKEN", "s3cret")
    code, checks = doctor()
    assert code == 0
    assert "s3cret" not in json.dumps(checks)


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", "ftp://somewhere", "somewhere:8888"])
def test_an_endpoint_that_is_away_or_none_fails(doctor: Doctor, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.cluster.client.WAITS_SECONDS", (0.0,))
    code, checks = doctor("--endpoint", endpoint)
    assert (code, checks["endpoint"]["verdict"]) == (1, "fail")


def test_a_page_where_the_api_should_be_is_no_api(doctor: Doctor, serve: Serve) -> None:
    code, checks = doctor("--endpoint", f"http://{serve(lambda *_: (200, 'text/html', '<html>'))}")
    assert (code, checks["endpoint"]["verdict"]) == (1, "fail")


def test_credentials_are_reported_by_where_they_are_and_never_shown(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "key.json"
    file.write_text('{"private_key": "s3cret"}')
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAs3cret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://minio:9000/s3")
    code, checks = doctor()
    assert code == 0
    assert checks["gs credentials"]["found"] == f"file {file}"
    assert checks["s3 credentials"]["found"] == "variable AWS_ACCESS_KEY_ID, server http://minio:9000/s3"
    assert "s3cret" not in json.dumps(checks)


def test_the_server_that_the_configuration_file_names_is_reported(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text("[default]\nendpoint_url = http://minio:9000")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    _, checks = doctor()
    assert checks["s3 credentials"]["found"].endswith(", server http://minio:9000")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("AWS_ENDPOINT_URL", "http://user:s3cret@minio:9000", "AWS_ENDPOINT_URL: put the user and password into AWS_"),
        ("AWS_PROFILE", "nobody", "The config profile (nobody) could not be found; check AWS_PROFILE"),
    ],
)
def test_an_s3_configuration_that_no_command_could_use_fails(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    code, checks = doctor()
    assert (code, checks["s3 credentials"]["verdict"]) == (1, "fail")
    assert checks["s3 credentials"]["found"].startswith(said)
    assert "s3cret" not in json.dumps(checks)


def test_a_credentials_file_that_is_named_and_not_there_fails(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    code, checks = doctor()
    assert (code, checks["gs credentials"]["verdict"]) == (1, "fail")
