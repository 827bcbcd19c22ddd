"""Building gives the same layers each time; pushing to a registry happens once, on a base named by its digest."""

import gzip
import hashlib
import io
import json
import os
import re
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.containers.registry import Registry, registry

ROOT = Path(__file__).parents[2]
DOCKER = "/usr/bin/docker" if os.access("/usr/bin/docker", os.X_OK) else "docker"
TAG = "0.0.0-tests"
(BASE,) = re.findall("^ARG PYTHON_BASE=(.*)$", (ROOT / "images" / "Dockerfile").read_text(), re.MULTILINE)


def docker(*command: str) -> None:
    subprocess.run([DOCKER, *command], capture_output=True, check=True)


@contextmanager
def checkout(place: Path) -> Iterator[Path]:
    """A clean checkout; the images of TAG are removed when the block ends."""
    subprocess.run(["git", "clone", "-q", str(ROOT), str(place)], check=True)
    yield place
    docker("image", "rm", f"quillflow/ingest:{TAG}")


def test_two_builds_give_the_same_layers(name_of: Callable[[str], str], engine: Any) -> None:
    there = engine.images.get(name_of("ingest")).attrs["RootFS"]["Layers"]
    environment = {**os.environ, "DOCKER": DOCKER, "TAG": TAG, "BUILD_FLAGS": "--no-cache"}
    subprocess.run([str(ROOT / "images" / "build.sh"), "ingest"], env=environment, check=True)
    try:
        assert engine.images.get(f"quillflow/ingest:{TAG}").attrs["RootFS"]["Layers"] == there
    finally:
        docker("image", "rm", f"quillflow/ingest:{TAG}")


def pushed(server: Registry, tag: str) -> tuple[dict[str, Any], list[bytes]]:
    """The configuration and the layers of what a registry has of ingest; large layers are cut."""
    manifest = json.loads(server.manifests["quillflow/ingest", tag][1])
    layers = [server.blobs[layer["digest"]] for layer in manifest["layers"]]
    return json.loads(server.blobs[manifest["config"]["digest"]]), layers


def test_an_image_is_pushed_once_with_its_sbom_and_never_over_one_that_is_there(
    name_of: Callable[[str], str], tmp_path: Path
) -> None:
    assert name_of("ingest")
    environment = {**os.environ, "DOCKER": DOCKER, "TAG": TAG, "INSECURE": "yes"}
    with registry(tmp_path) as server, checkout(tmp_path / "checkout") as place:
        base = f"{server.address}/{BASE}"
        docker("tag", BASE, base)
        docker("push", base)
        command = [str(place / "images" / "push.sh"), server.address, "ingest"]
        environment["PYTHON_BASE"] = base
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        name = f"{server.address}/quillflow/ingest:{TAG}"
        assert f"{name}@{digest_of(server.manifests['quillflow/ingest', TAG][1])}\n" in done.stdout

        config, _ = pushed(server, TAG)
        labels = config["config"]["Labels"]
        at = server.manifests[tuple(BASE.split(":", maxsplit=1))][1]  # type: ignore[index]
        assert labels["org.opencontainers.image.base.digest"] == digest_of(at)
        _, (layer,) = pushed(server, f"{TAG}-sbom")
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(layer))) as files:
            (member,) = files.getmembers()
            sbom = files.extractfile(member)
            assert sbom is not None
            assert digest_of(sbom.read()) == labels["quillflow.sbom.digest"]

        before = dict(server.manifests)
        again = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert again.returncode == 1
        assert "is there already" in again.stderr
        assert server.manifests == before
        docker("image", "rm", name, f"{name}-sbom", base)


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
