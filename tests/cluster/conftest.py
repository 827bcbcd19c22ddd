"""A Kubeflow API on loopback with a bucket beside it, and the commands that use them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from components.artifacts.manifest import digest, write_manifest
from components.artifacts.storage import place, place_of, push
from pipelines.build.environment import Environment
from pipelines.cluster import client, runs, submitting
from tests.cluster.kubernetes import write_kubeconfig
from tests.cluster.server import Server, serving
from tests.storage.google import GcsProxy, google_server

Command = Callable[..., tuple[int, str, str]]
NIGHTLY = {
    "name": "nightly",
    "cron": "0 30 2 * * *",
    "environment": "lab",
    "recipe": "quick",
    "source": "gs://lab/tale.txt",
}
"""A schedule's file."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing waits as long as it would in earnest, and nothing is taken from this machine's environment."""
    monkeypatch.setattr(client, "WAITS_SECONDS", (0.01, 0.01, 0.01, 0.01))
    monkeypatch.setattr(runs, "POLL_SECONDS", 0.01)
    for name in ("KFP_EXISTING_TOKEN", "KF_PIPELINES_ENDPOINT", "KF_PIPELINES_SA_TOKEN_PATH", "QUILLFLOW_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))


@pytest.fixture
def kubectl(server: Server, tmp_path: Path) -> None:
    """Access to the cluster's Kubernetes, as whoever uses kubectl here has it."""
    write_kubeconfig(tmp_path / "kubeconfig", server.url)


@pytest.fixture(scope="session")
def compiled() -> dict[tuple[str, str], bytes]:
    """What was compiled so far, by pipeline and environment."""
    return {}


@pytest.fixture(autouse=True)
def compiled_once(compiled: dict[tuple[str, str], bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiling takes a second, and of the cluster's settings only the champion's place is in what it makes."""
    compile_pipeline = submitting.compile_pipeline

    def once(name: str, environment: Environment, path: Path) -> Path:
        key = (name, environment.cluster.champion + environment.model_dump_json(exclude={"name", "cluster"}))
        if key not in compiled:
            compiled[key] = compile_pipeline(name, environment, path).read_bytes()
        path.write_bytes(compiled[key])
        return path

    monkeypatch.setattr(submitting, "compile_pipeline", once)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture(scope="session")
def google() -> Iterator[GcsProxy]:
    with google_server() as proxy:
        proxy.make_bucket("quill")
        yield proxy


@pytest.fixture
def bucket(
    google: GcsProxy, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """An empty place in a bucket, as a URI."""
    for name, value in google.environment.items():
        monkeypatch.setenv(name, value)
    place._bucket.cache_clear()
    yield f"gs://quill/{tmp_path_factory.mktemp('place').name}"
    place._bucket.cache_clear()


@pytest.fixture
def environment(server: Server, tmp_path: Path) -> Path:
    """A file with an environment whose cluster is the server."""
    path = tmp_path / "lab.yaml"
    path.write_text(yaml.safe_dump({"cluster": {"endpoint": server.url, "experiment": "stories"}}))
    return path


@pytest.fixture
def in_bucket(environment: Path, bucket: str) -> str:
    """The same with artifacts in a bucket; where they are kept."""
    values = yaml.safe_load(environment.read_text())
    values["cluster"] |= {"pipeline_root": f"{bucket}/runs", "champion": f"{bucket}/champion"}
    environment.write_text(yaml.safe_dump(values))
    return f"{bucket}/runs"


@pytest.fixture
def quillflow(environment: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command in the environment, as a user gives it: its exit code, standard output and standard error."""
    from pipelines.commands.main import main

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = main([*arguments, "--environment", str(environment)])
        except SystemExit as ended:
            code = int(ended.code or 0)
        return (code, *capsys.readouterr())

    return run


def make_artifact(uri: str, kind: str, stage: str, scratch: Path, files: dict[str, str], **more: object) -> str:
    """An artifact at a URI; its digest."""
    directory = scratch / f"{kind}-{len(list(scratch.iterdir()))}"
    directory.mkdir()
    for name, text in files.items():
        (directory / name).write_text(text)
    values = {"config": {}, "counts": {}, "made_from": {}, **more}
    write_manifest(directory, kind=kind, stage=stage, **values)  # type: ignore[arg-type]
    push(directory, place_of(uri))
    return digest(directory)
