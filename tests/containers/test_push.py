"""Pushing to a registry, once."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.containers.registry import registry

ROOT = Path(__file__).parents[2]


def test_an_image_is_pushed_once_and_never_over_one_that_is_there(
    name_of: Callable[[str], str], tmp_path: Path
) -> None:
    assert name_of("ingest")
    checkout = tmp_path / "checkout"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(checkout)], check=True)
    docker = "/usr/bin/docker" if os.access("/usr/bin/docker", os.X_OK) else "docker"
    environment = {**os.environ, "DOCKER": docker, "TAG": "0.0.0-tests", "INSECURE": "yes"}
    with registry(tmp_path) as server:
        command = [str(checkout / "images" / "push.sh"), server.address, "ingest"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert ("quillflow/ingest", "0.0.0-tests") in server.manifests
        before = dict(server.manifests)
        again = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert again.returncode == 1
        assert "is there already" in again.stderr
        assert server.manifests == before
    for name in ("quillflow/ingest:0.0.0-tests", f"{server.address}/quillflow/ingest:0.0.0-tests"):
        subprocess.run([docker, "image", "rm", name], capture_output=True, check=True)
