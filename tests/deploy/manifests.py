"""deploy/ as it is written and as kustomize renders it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

Object = dict[str, Any]

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DIRECTORIES = sorted(str(path.parent.relative_to(DEPLOY)) for path in DEPLOY.rglob("kustomization.yaml"))
NAMESPACES = [name for name in DIRECTORIES if name == "base" or Path(name).parent.name == "overlays"]
JOBS = [name for name in DIRECTORIES if Path(name).name == "jobs"]
TENSORBOARDS = [name for name in DIRECTORIES if Path(name).name == "tensorboard"]
STAGES = ("ingest", "vectorize", "train", "sample")
KUBERNETES = ("1.31", kubernetes_validate.latest_version())
"""The oldest version whose Jobs know podFailurePolicy as stable, and the newest the validator knows."""
_PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"


def render(directory: str) -> list[Object]:
    """The objects that a directory below deploy/ renders to; the test is skipped without kustomize."""
    kustomize, kubectl = (shutil.which(name, path=_PATH) for name in ("kustomize", "kubectl"))
    if not kustomize and not kubectl:
        pytest.skip("needs kubectl or kustomize; make test builds kustomize where the Go module proxy can be reached")
    command = (kustomize, "build") if kustomize else (str(kubectl), "kustomize")
    return list(yaml.safe_load_all(_run(*command, str(DEPLOY / directory))))


def namespace_of(jobs: str) -> str:
    """The directory of the namespace that a directory of Jobs is for."""
    if jobs.startswith("examples/"):
        (beneath,) = yaml.safe_load((DEPLOY / jobs / "kustomization.yaml").read_text())["resources"]
        jobs = str((DEPLOY / jobs / beneath).resolve().relative_to(DEPLOY))
    return "base" if jobs == "jobs" else jobs.removesuffix("/jobs")


@cache
def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def written() -> list[tuple[str, Object]]:
    """Every YAML document below deploy/, with its file's path there."""
    return [
        (str(path.relative_to(DEPLOY)), document)
        for path in sorted(DEPLOY.rglob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text())
    ]


def of_kind(objects: list[Object], kind: str) -> dict[str, Object]:
    """The objects of a kind, by name."""
    return {found["metadata"]["name"]: found for found in objects if found["kind"] == kind}


def containers(pod: Object) -> Iterator[Object]:
    """A pod's containers of all sorts."""
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        yield from pod.get(kind, [])


def quantity(text: str) -> float:
    """A Kubernetes quantity as a number."""
    for suffix, factor in {"m": 1e-3, "Mi": 2**20, "Gi": 2**30}.items():
        if text.endswith(suffix):
            return float(text.removesuffix(suffix)) * factor
    return float(text)
