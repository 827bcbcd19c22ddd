"""`quillflow doctor` checks the container engine, the endpoint, credentials and where runs go; it shows no secret."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.storage.local import LocalStore
from pipelines.build.images import checkout_tag, image
from tests.unit.pipelines.doctor.conftest import Doctor, Serve

PATH = os.environ["PATH"]
HEALTH = "/apis/v2beta1/healthz"
VERSION = {"Version": "29.1", "ApiVersion": "1.44", "MinAPIVersion": "1.24"}


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
