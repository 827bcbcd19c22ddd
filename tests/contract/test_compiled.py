"""The compiled pipelines, whole: image, command and all. Rewrite them with QUILLFLOW_GOLDEN=write after a change."""

import os
from pathlib import Path

import pytest
import yaml
from kfp import components

from pipelines.compile import PIPELINES, compile_all

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("compiled")
    compile_all(directory)
    if os.environ.get("QUILLFLOW_GOLDEN") == "write":
        compile_all(GOLDEN)
    return directory


@pytest.mark.parametrize("name", PIPELINES)
def test_the_compiled_pipeline_is_the_golden_one(name: str, compiled: Path) -> None:
    assert (compiled / f"{name}.yaml").read_text() == (GOLDEN / f"{name}.yaml").read_text()


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.glob("*.yaml")} == set(PIPELINES)


@pytest.mark.parametrize("name", PIPELINES)
def test_the_golden_pipeline_loads_as_a_kfp_pipeline(name: str) -> None:
    assert components.load_component_from_file(str(GOLDEN / f"{name}.yaml")).name == name


@pytest.mark.parametrize("name", PIPELINES)
def test_every_task_is_told_the_version(name: str) -> None:
    spec = yaml.safe_load((GOLDEN / f"{name}.yaml").read_text())
    for task in spec["root"]["dag"]["tasks"].values():
        if task["componentRef"]["name"].startswith("comp-importer"):
            continue
        assert task["inputs"]["parameters"]["version"] == {"componentInputParameter": "version"}
        assert task["cachingOptions"] == {"enableCache": True}


@pytest.mark.parametrize("name", PIPELINES)
def test_nothing_is_installed_at_run_time(name: str) -> None:
    text = (GOLDEN / f"{name}.yaml").read_text()
    assert "pip install" not in text
    spec = yaml.safe_load(text)
    containers = [
        executor["container"] for executor in spec["deploymentSpec"]["executors"].values() if "container" in executor
    ]
    assert containers
    assert all(container["image"].startswith("quillflow/") for container in containers)
    assert not any(container["image"].endswith(":latest") for container in containers)
