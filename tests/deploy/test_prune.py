"""The CronJob that docs/operations.md shows: Kubernetes and the namespace take it, and its image runs its command."""

import re

import kubernetes_validate
import pytest
import yaml

from components.prune.__main__ import parser
from tests.deploy.manifests import KUBERNETES, ROOT, Object, of_kind, render


@pytest.fixture
def job() -> Object:
    page = (ROOT / "docs" / "operations.md").read_text()
    blocks = re.findall(r"^```yaml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    (found,) = [block for block in blocks if "CronJob" in block]
    return dict(yaml.safe_load(found))


@pytest.mark.parametrize("version", KUBERNETES)
def test_it_fits_its_schema(job: Object, version: str) -> None:
    kubernetes_validate.validate(job, version, strict=True)


def test_its_pod_is_as_narrow_as_the_namespace_asks(job: Object) -> None:
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    jobs = of_kind(render("jobs"), "Job")["ingest"]["spec"]["template"]["spec"]
    (container,), (stage,) = pod["containers"], jobs["containers"]
    assert container["securityContext"] == stage["securityContext"]
    assert container["envFrom"] == stage["envFrom"]
    assert {**jobs["securityContext"], **pod["securityContext"]} == jobs["securityContext"]
    assert pod["serviceAccountName"] in of_kind(render("base"), "ServiceAccount")


def test_its_image_has_the_command_which_takes_its_arguments(job: Object) -> None:
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["python3", "-m", "components.prune"]
    arguments = parser().parse_args(container["args"])
    assert (arguments.keep_last, arguments.keep_days, arguments.yes) == (14, 30, True)
    copied = re.search(r"cp -r (.*) /stages/ingest/app/components/", (ROOT / "images" / "Dockerfile").read_text())
    assert copied
    assert "prune" in copied[1].split()
    assert "/ingest:" in container["image"]
