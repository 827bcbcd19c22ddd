"""One lock serves all machines: what applies to each is what the project needs there, and no more."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from itertools import pairwise, product
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
OVERRIDES = {Requirement(line).name: Requirement(line) for line in PYPROJECT["tool"]["uv"]["override-dependencies"]}
"""What a distribution says it needs, and the project does not."""
MACHINES = {
    "Linux x86_64": {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64"},
    "Linux aarch64": {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "aarch64"},
    "macOS arm64": {"sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": "arm64"},
}
WHEELS_OF = {"Linux aarch64": "aarch64-manylinux_2_28", "macOS arm64": "aarch64-apple-darwin"}
"""As uv names them, those that no test runs on."""
PYTHONS = ("3.11", "3.12", "3.13")
EXTRAS = ("dev", "ingest", "vectorize", "train", "sample", "tensorboard")
LIKE = {"tensorflow": "tensorflow-cpu", "tensorflow-cpu": "tensorflow"}
"""What needs the same: of the two only this machine's is installed."""


def environment(machine: str, python: str) -> dict[str, str]:
    """What markers are evaluated with."""
    cpython = {"implementation_name": "cpython", "platform_python_implementation": "CPython", "os_name": "posix"}
    return {**cpython, **MACHINES[machine], "python_version": python, "python_full_version": f"{python}.9"}


def applies(requirement: Requirement, where: dict[str, str], extra: str = "") -> bool:
    return requirement.marker is None or requirement.marker.evaluate({**where, "extra": extra})


def locked(extra: str) -> Iterator[Requirement]:
    """The requirements of a lock file."""
    for line in (ROOT / "requirements" / f"{extra}.txt").read_text(encoding="utf-8").splitlines():
        if line[:1].isalnum():
            yield Requirement(line.removesuffix("\\"))


def requirements_of(name: str, extra: str) -> list[Requirement]:
    """What a distribution says it needs, with an extra of it or without any."""
    if name == PROJECT["name"]:
        return [Requirement(line) for line in PROJECT["optional-dependencies"].get(extra, PROJECT["dependencies"])]
    try:
        needed = metadata.requires(name)
    except metadata.PackageNotFoundError:
        needed = metadata.requires(LIKE[name])
    found = map(Requirement, needed or ())
    return [OVERRIDES.get(canonicalize_name(each.name), each) for each in found]


def needed(extra: str, where: dict[str, str]) -> dict[str, list[Requirement]]:
    """All that the project needs with an extra, and all that this needs in turn, by name."""
    found: dict[str, list[Requirement]] = {}
    open_, seen = [(PROJECT["name"], ""), (PROJECT["name"], extra)], set()
    while open_:
        name, with_extra = open_.pop()
        if (name, with_extra) in seen:
            continue
        seen.add((name, with_extra))
        for requirement in requirements_of(name, with_extra):
            if applies(requirement, where, with_extra):
                other = canonicalize_name(requirement.name)
                found.setdefault(other, []).append(requirement)
                open_ += [(other, each) for each in ("", *requirement.extras)]
    found.pop(PROJECT["name"], None)
    return found


@pytest.mark.parametrize(("extra", "machine", "python"), [*product(EXTRAS, MACHINES, PYTHONS)])
def test_what_is_locked_for_a_machine_is_what_is_needed_there(extra: str, machine: str, python: str) -> None:
    where = environment(machine, python)
    versions = {each.name: each.specifier for each in locked(extra) if applies(each, where)}
    wanted = needed(extra, where)
    assert versions.keys() == wanted.keys()
    for name, requirements in wanted.items():
        (version,) = (each.version for each in versions[name])
        assert all(requirement.specifier.contains(version) for requirement in requirements), name


@pytest.mark.parametrize("machine", MACHINES)
def test_each_machine_gets_one_tensorflow_which_is_the_same_release(machine: str) -> None:
    (both,) = {str(each.specifier) for each in locked("dev") if each.name in LIKE}
    found = [each for each in locked("dev") if each.name in LIKE and applies(each, environment(machine, "3.13"))]
    assert [each.name for each in found] == ["tensorflow-cpu" if machine == "Linux x86_64" else "tensorflow"]
    assert [str(each.specifier) for each in found] == [both]


def test_all_parts_of_kubeflow_pipelines_are_of_one_release() -> None:
    parts = {"kfp", "kfp-kubernetes", "kfp-pipeline-spec", "kfp-server-api"}
    found = {each.name: str(each.specifier) for each in locked("dev") if each.name in parts}
    assert found.keys() == parts
    assert len(set(found.values())) == 1, found
    assert {str(each.specifier) for each in locked("kfp")} == set(found.values()), "what images hold"


@pytest.mark.parametrize("path", sorted((ROOT / "requirements").iterdir()), ids=lambda path: path.name)
def test_a_lock_has_a_hash_for_each_requirement_and_no_address(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index" not in text
    for line, following in pairwise(text.splitlines()):
        assert not line[:1].isalnum() or following.startswith("    --hash=sha256:"), line


SOURCE_ONLY = "kfp-server-api"
"""Pure Python; whoever installs it builds it."""


@pytest.mark.slow("asks the package index, several seconds a machine")
@pytest.mark.parametrize(("machine", "python"), [*product(WHEELS_OF, PYTHONS)])
def test_all_that_is_locked_for_a_machine_has_a_wheel_for_it(machine: str, python: str, tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--dry-run", "--no-deps"]
    command += ["--require-hashes", "--requirements", str(ROOT / "requirements" / "dev.txt"), "--target", str(tmp_path)]
    command += ["--only-binary", ":all:", "--no-binary", SOURCE_ONLY]
    command += ["--python-platform", WHEELS_OF[machine], "--python-version", python]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "NO_COLOR": "1"})
    if "Failed to fetch" in done.stderr or "error sending request" in done.stderr:
        pytest.skip("no package index answers here")
    assert done.returncode == 0, done.stderr
    count = sum(applies(each, environment(machine, python)) for each in locked("dev"))
    assert f"Would install {count} packages" in done.stderr
