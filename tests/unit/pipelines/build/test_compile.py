"""`quillflow compile`: every pipeline is written, as KFP's YAML or as Kubernetes resources named by what they hold."""

import json
import re
from pathlib import Path

import pytest
import yaml

from pipelines.build.compile import PIPELINES, compile_all, compile_pipeline, compile_resources
from pipelines.build.environment import Environment, environment
from pipelines.commands.main import main
from tests.shorter import mostly_slow


@pytest.mark.parametrize("place", mostly_slow(["local", "on-prem"]))
def test_kubernetes_resources_hold_the_same_pipelines(place: str, tmp_path: Path) -> None:
    where = environment(place)
    compile_all(tmp_path, where, kubernetes=True)
    for name in PIPELINES:
        pipeline, version = yaml.load_all((tmp_path / f"{name}.yaml").read_text(), yaml.CSafeLoader)
        compiled = compile_pipeline(name, where, tmp_path / "as-kfp" / f"{name}.yaml").read_text()
        spec, *platform = yaml.load_all(compiled, yaml.CSafeLoader)
        assert (pipeline["kind"], pipeline["metadata"]["name"]) == ("Pipeline", name)
        assert version["kind"] == "PipelineVersion"
        assert version["spec"]["pipelineName"] == name
        assert version["spec"]["pipelineSpec"] == spec
        assert version["spec"].get("platformSpec") == (platform[0] if platform else None)
        assert version["metadata"].get("namespace", "") == where.cluster.namespace
        assert re.fullmatch(rf"{name}-[a-z0-9.-]+-[0-9a-f]{{8}}", version["metadata"]["name"])


def test_the_command_writes_every_pipeline_for_the_environment_it_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compile", str(tmp_path), "--environment", "gke", "--json"]) == 0
    paths = [Path(path) for path in json.loads(capsys.readouterr().out)["pipelines"]]
    assert {path.stem for path in paths} == set(PIPELINES)
    for path in paths:
        again = compile_pipeline(path.stem, environment("gke"), tmp_path / "again.yaml")
        assert path.read_text() == again.read_text()


def test_another_pipeline_is_another_version(tmp_path: Path) -> None:
    names = []
    for number, where in enumerate((Environment(), Environment(), Environment(ttl=60))):
        path = compile_resources("train", where, tmp_path / f"{number}.yaml")
        _, version = yaml.load_all(path.read_text(), yaml.CSafeLoader)
        names.append(version["metadata"]["name"])
    assert names[0] == names[1] != names[2]


@pytest.mark.parametrize("kubernetes", mostly_slow([False, True]))
def test_credentials_of_the_one_who_compiles_are_in_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kubernetes: bool
) -> None:
    canaries = {name: f"canary-{number}" for number, name in enumerate(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))}
    for name, value in canaries.items():
        monkeypatch.setenv(name, value)
    for path in compile_all(tmp_path, environment("on-prem"), kubernetes=kubernetes):
        assert "AWS_SECRET_ACCESS_KEY" in path.read_text()
        assert "canary" not in path.read_text()
