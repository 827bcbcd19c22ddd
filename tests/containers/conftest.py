"""The Docker engine, the images of this checkout, and a caller who is not root."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import DockerException

from pipelines.build.images import checkout_tag, image
from tests.containers.running import Caller, Ended, Run, run_image


@pytest.fixture(scope="session")
def engine() -> Iterator[Any]:
    try:
        client = docker.from_env()
    except DockerException:
        pytest.skip("no Docker engine answers here")
    yield client
    client.close()


@pytest.fixture(scope="session")
def name_of(engine: Any) -> Callable[[str], str]:
    """The name of the image for a target of the Dockerfile, which is there."""
    tag = checkout_tag()
    there = {name for each in engine.images.list() for name in each.tags}

    def find(target: str) -> str:
        name = image(target.removesuffix("-gpu"), tag=tag, gpu=target.endswith("-gpu"))
        if name not in there:
            assert target == "train-gpu", f"no image {name}; make images"
            pytest.skip("train-gpu takes several gigabytes: it is built where a GPU is, or by its name")
        return name

    return find


@pytest.fixture
def run(engine: Any, name_of: Callable[[str], str]) -> Run:
    """Run the image for a target alone."""

    def call(target: str, command: Sequence[str], **options: Any) -> Ended:
        return run_image(engine, name_of(target), command, **options)

    return call


@pytest.fixture(scope="module")
def caller(name_of: Callable[[str], str]) -> Iterator[Caller]:
    assert name_of("train")
    home = Path(tempfile.mkdtemp(prefix="quillflow-caller-"))
    home.chmod(0o755)
    yield Caller(home)
    shutil.rmtree(home)
