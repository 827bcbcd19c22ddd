"""What is in the images and what is not, and that they run with next to no rights."""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.containers.running import Run

ROOT = Path(__file__).parents[2]
TARGETS = ("ingest", "vectorize", "train", "train-gpu", "sample", "tensorboard")
SHARED = {"__init__.py", "__pycache__", "artifacts", "command"}
HOLDS = {
    "ingest": {*SHARED, "ingest", "notify", "prune", "report", "unchanged"},
    "vectorize": {*SHARED, "vectorize"},
    "train": {*SHARED, "generator", "train"},
    "train-gpu": {*SHARED, "generator", "train"},
    "sample": {*SHARED, "generator", "judging", "promote", "sample"},
    "tensorboard": {*SHARED, "tensorboard"},
}
MEGABYTES = {"ingest": 450, "vectorize": 2000, "train": 2000, "sample": 2000, "tensorboard": 450}
BUILD_TOOLS = "pip pip3 gcc g++ cc c++ cpp make ld as cmake ninja git uv poetry"


def python(run: Run, target: str, code: str) -> str:
    ended = run(target, ["-c", code], entrypoint="python3")
    assert ended.code == 0, ended.err
    return ended.out


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_says_what_it_is_and_runs_as_a_numeric_user_that_is_not_root(
    target: str, engine: Any, name_of: Callable[[str], str]
) -> None:
    name = name_of(target)
    config = engine.images.get(name).attrs["Config"]
    labels = config["Labels"]
    assert labels["org.opencontainers.image.title"] == name.partition(":")[0]
    assert labels["org.opencontainers.image.version"] == name.partition(":")[2]
    assert re.fullmatch("[0-9a-f]{40}", labels["org.opencontainers.image.revision"])
    assert labels["org.opencontainers.image.description"]
    user, group = config["User"].split(":")
    assert int(user) > 0
    assert int(group) > 0


@pytest.mark.parametrize("target", MEGABYTES)
def test_an_image_is_no_larger_than_promised(target: str, engine: Any, name_of: Callable[[str], str]) -> None:
    assert engine.images.get(name_of(target)).attrs["Size"] <= MEGABYTES[target] * 1e6


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_holds_its_own_stage_and_what_that_imports(target: str, run: Run) -> None:
    assert set(python(run, target, "import os; print(*os.listdir('/app/components'))").split()) == HOLDS[target]


def test_the_image_of_sample_has_all_that_a_promotion_needs(run: Run) -> None:
    code = "import components.promote.promoting, components.judging.scoring, components.generator.model; print('all')"
    assert python(run, "sample", code) == "all\n"


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_holds_the_locked_packages_and_no_others(target: str, run: Run) -> None:
    locked = {
        (requirement.name, str(requirement.specifier).removeprefix("=="))
        for name in (target, "kfp")
        for line in (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
        if re.match(r"[a-z]", line)
        if (requirement := Requirement(line.removesuffix("\\"))).marker is None or requirement.marker.evaluate()
    }
    code = "import importlib.metadata as m; [print(d.name, d.version) for d in m.distributions(path=m.sys.path[1:])]"
    found = {
        (re.sub(r"[-_.]+", "-", name).lower(), version)
        for name, version in (line.split() for line in python(run, target, code).splitlines())
    }
    assert found == locked


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_s_sbom_names_what_is_installed_and_a_label_has_its_digest(
    target: str, run: Run, engine: Any, name_of: Callable[[str], str]
) -> None:
    name, _, tag = name_of(target).partition(":")
    script = (ROOT / "images" / "sbom.py").read_text()
    printed = run(target, ["-c", script, name, tag], entrypoint="python3").out
    label = engine.images.get(f"{name}:{tag}").attrs["Config"]["Labels"]["quillflow.sbom.digest"]
    assert label == f"sha256:{hashlib.sha256(printed.encode()).hexdigest()}"
    urls = [each["purl"] for each in json.loads(printed)["components"]]
    found = {url.partition("@")[0] for url in urls}
    assert {"pkg:generic/python", "pkg:pypi/kfp", "pkg:pypi/pydantic", "pkg:deb/debian/libc6"} <= found
    assert "pkg:pypi/pip" not in found


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_has_no_installer_and_no_build_tools(target: str, run: Run) -> None:
    ended = run(target, ["-c", f"command -v {BUILD_TOOLS}; true"], entrypoint="sh")
    assert ended == (0, "", "")
    code = "import importlib.util as u; print([name for name in ('pip', 'ensurepip') if u.find_spec(name)])"
    assert python(run, target, code) == "[]\n"
    assert run(target, ["-c", "! find / -path '*-packages/pip' 2>/dev/null | grep ."], entrypoint="sh").code == 0


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_has_no_program_that_runs_as_somebody_else(target: str, run: Run) -> None:
    ended = run(target, ["-c", "find / -xdev -type f -perm /6000 2>/dev/null; true"], entrypoint="sh")
    assert ended == (0, "", "")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("user", ["12345:0", "65532:65532", "1000:1000"])
def test_an_image_explains_its_stage_to_any_user(target: str, user: str, run: Run) -> None:
    stage = target.removesuffix("-gpu")
    ended = run(target, ["--help"], user=user)
    assert ended.code == 0
    assert ended.out.startswith(f"usage: python -m components.{stage}")


@pytest.mark.parametrize("target", TARGETS)
def test_wrong_use_of_an_image_is_one_line_and_exit_code_2(target: str, run: Run) -> None:
    for command in ([], ["--nonsense"]):
        ended = run(target, command)
        assert ended.code == 2
        assert len(ended.err.splitlines()) == 1
        assert "error: " in ended.err


@pytest.mark.parametrize("target", TARGETS)
def test_everything_an_image_runs_is_compiled_and_nobody_can_change_it(target: str, run: Run) -> None:
    code = (
        "import os, pathlib\n"
        "for source in pathlib.Path('/app').rglob('*.py'):\n"
        "    print(source, len(list(source.parent.glob(f'__pycache__/{source.stem}.cpython-*.pyc'))),\n"
        "          os.access(source, os.W_OK), source.stat().st_uid)\n"
    )
    lines = python(run, target, code).splitlines()
    assert len(lines) > 10
    assert all(line.endswith(" 1 False 0") for line in lines), lines


@pytest.mark.parametrize("target", TARGETS)
def test_the_engine_can_run_a_component_in_an_image(target: str, run: Run) -> None:
    """What Kubeflow runs in a container: sh, mktemp, python3 and its executor, which needs none of kfp's packages."""
    script = (
        'd=$(mktemp -d) && printf "%s" "$0" > "$d/c.py" && _KFP_RUNTIME=true python3 -m kfp.dsl.executor_main --help'
    )
    ended = run(target, ["-ec", script, "import kfp"], entrypoint="sh")
    assert ended.code == 0, ended.err
    assert "--executor_input" in ended.out
