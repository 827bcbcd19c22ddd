"""TensorBoard's deployment on a real cluster: it comes up and shows the losses of a Job's model."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from tests.kubernetes.kubectl import NAMESPACE, kubectl, run, until, with_changes


@pytest.fixture
def address(model: str, tmp_path: Path) -> Iterator[str]:
    """TensorBoard's address here, through a port-forward."""
    assert model
    kubectl("apply", "--kustomize", with_changes(tmp_path / "option", "overlays/on-prem/tensorboard"))
    kubectl("rollout", "status", "deployment/tensorboard", "--timeout=170s")
    command = ["kubectl", f"--namespace={NAMESPACE}", "port-forward", "service/tensorboard", ":6006"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as forward:
        assert forward.stdout is not None
        line = forward.stdout.readline()  # Forwarding from 127.0.0.1:40001 -> 6006
        yield f"http://{line.split()[2]}"
        forward.terminate()


def ask(address: str, what: str, **query: str) -> Any:
    with urlopen(f"{address}/data/plugin/scalars/{what}?{urlencode(query)}", timeout=30) as answer:
        return json.load(answer)


def mirrored() -> str:
    return run("logs", "deployment/tensorboard", "--container=mirror").stdout


def test_it_shows_the_curve_of_a_job_s_model(address: str) -> None:
    runs = until("the model's logs", lambda: ask(address, "tags"), reported=mirrored)
    curves = [
        ask(address, "scalars", run=name, tag=tag) for name, tags in runs.items() for tag in tags if "loss" in tag
    ]
    assert curves
    assert max(len(curve) for curve in curves) > 3
    for curve in curves:
        steps = [step for _, step, _ in curve]
        assert steps == sorted(steps)
