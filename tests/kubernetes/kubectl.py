"""kubectl, and directories of deploy/ as these tests apply them: with the suite's images and what they change."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml

from pipelines.build.images import checkout_tag, image

Found = TypeVar("Found")
Object = dict[str, Any]

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
NAMESPACE = "quillflow"
HOST = os.environ.get("QUILLFLOW_HOST", "10.245.0.1")
"""This machine as the cluster's pods see it."""
REGISTRY = os.environ.get("QUILLFLOW_REGISTRY", "")
"""Where the cluster's nodes fetch the suite's images from; empty where they have them."""
PATIENCE_SECONDS = 180
_tag = cache(checkout_tag)  # a commit during the tests changes nothing


def image_of(stage: str) -> str:
    """The image of this checkout, as `make images` and `make push` name it."""
    return image(stage, registry=REGISTRY, tag=_tag())


def run(*arguments: str, given: str | None = None) -> "subprocess.CompletedProcess[str]":
    # What is applied says itself where it goes.
    command = ["kubectl", *([] if arguments[0] == "apply" else [f"--namespace={NAMESPACE}"]), *arguments]
    return subprocess.run(command, input=given, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)


def kubectl(*arguments: str, given: str | None = None) -> str:
    """What kubectl prints; `given` is its standard input."""
    done = run(*arguments, given=given)
    assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
    return done.stdout


def refusal(*arguments: str, given: str | None = None) -> str:
    """What kubectl says where the cluster does not do what it asks for."""
    done = run(*arguments, given=given)
    assert done.returncode != 0, f"kubectl {' '.join(arguments)} was done: {done.stdout}"
    return done.stderr


def get(*arguments: str) -> Object:
    """An object, or a list of them."""
    found: Object = json.loads(kubectl("get", *arguments, "--output=json"))
    return found


def apply(*objects: Object) -> None:
    kubectl("apply", "--filename=-", given=yaml.safe_dump_all(objects))


def with_changes(directory: Path, of: str, *patches: Object) -> str:
    """The path of a kustomization in `directory` over one of deploy/: its images are this checkout's, on CPUs."""
    directory.mkdir(parents=True)
    name, _, tag = image_of("{}").rpartition(":")
    targets = {"ingest": "ingest", "vectorize": "vectorize", "train-gpu": "train", "sample": "sample"}
    images = [
        {"name": f"registry.example/quillflow/{there}", "newName": name.format(here), "newTag": tag}
        for there, here in {**targets, "tensorboard": "tensorboard"}.items()
    ]
    resources = [os.path.relpath(DEPLOY / of, directory.resolve())]
    text = yaml.safe_dump({"resources": resources, "images": images, "patches": list(patches)})
    (directory / "kustomization.yaml").write_text(text)
    return str(directory)


def patch(kind: str, name: str, *operations: tuple[str, Any]) -> Object:
    """What sets values in an object by their paths."""
    changes = [{"op": "add", "path": path, "value": value} for path, value in operations]
    return {"target": {"kind": kind, "name": name}, "patch": yaml.safe_dump(changes)}


def narrow_pod(name: str, command: Sequence[str], *, limits: Object | None = None, **spec: Any) -> Object:
    """A pod that the level `restricted` lets in; its image is ingest's."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "stage",
                    "image": image_of("ingest"),
                    "command": list(command),
                    "resources": {"requests": {"cpu": "10m"}, "limits": {"memory": "128Mi", **(limits or {})}},
                    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                }
            ],
            **spec,
        },
    }


def until(
    what: str, look: Callable[[], Found], seconds: float = PATIENCE_SECONDS, reported: Callable[[], str] = lambda: ""
) -> Found:
    """What `look` returns as soon as that is true; `reported` is what there is to see if it never is."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"not in {seconds:g} s: {what}\n{reported()}"
        time.sleep(0.5)
    return found
