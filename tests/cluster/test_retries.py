"""Whether the cluster tries again what failed: `doctor` and `submit` say it where its settings can be read."""

import json
from pathlib import Path

import pytest
import yaml

from tests.cluster.conftest import Command
from tests.cluster.server import Server

PATCH = yaml.safe_load((Path(__file__).parents[2] / "deploy/kubeflow/retries.yaml").read_text())
INEFFECTIVE = (
    "the cluster retries lost pods, but not failed ones (retryPolicy OnError), so retries.count 3 applies only to train"
)


@pytest.fixture(autouse=True)
def three_retries(environment: Path) -> None:
    environment.write_text(f"{environment.read_text()}retries: {{count: 3}}\n")


def checked(quillflow: Command) -> dict[str, str]:
    checks = json.loads(quillflow("doctor", "--json")[1])["checks"]
    (found,) = [check for check in checks if check["name"] == "retries"]
    return dict(found)


@pytest.mark.usefixtures("kubectl")
def test_kubeflow_s_own_settings_make_retries_ineffective_and_it_is_said(quillflow: Command) -> None:
    found = checked(quillflow)
    assert (found["verdict"], INEFFECTIVE in found["found"]) == ("warn", True)
    assert found["advice"] == "apply deploy/kubeflow/retries.yaml, or ask the cluster's owner to"
    code, _, err = quillflow("submit")
    assert (code, f"warning: {INEFFECTIVE}, which restarts" in err) == (0, True)


@pytest.mark.usefixtures("kubectl")
@pytest.mark.parametrize("defaults", [PATCH["data"], {"other": "x"}, {"workflowDefaults": "spec: {ttlStrategy: {}}\n"}])
def test_with_the_patch_of_deploy_or_argo_s_own_defaults_they_count(
    server: Server, quillflow: Command, defaults: dict[str, str]
) -> None:
    server.api.controller = defaults
    assert checked(quillflow)["verdict"] == "ok"
    assert quillflow("submit")[2].count("warning") == 0


@pytest.mark.parametrize("access", ["forbidden", "none"])
def test_what_can_t_be_read_is_reported_with_the_command_that_shows_it(
    server: Server, quillflow: Command, request: pytest.FixtureRequest, access: str
) -> None:
    if access == "forbidden":
        request.getfixturevalue("kubectl")
        server.api.controller = {}
    found = checked(quillflow)
    assert (found["verdict"], "unknown whether" in found["found"]) == ("warn", True)
    assert "kubectl get configmap workflow-controller-configmap -n kubeflow -o jsonpath=" in found["advice"]
    assert quillflow("submit")[2].count("warning") == 0


@pytest.mark.usefixtures("kubectl")
def test_where_no_retries_are_asked_for_nothing_is_said(quillflow: Command, environment: Path) -> None:
    environment.write_text(environment.read_text().replace("count: 3", "count: 0"))
    assert "retries" not in quillflow("doctor", "--json")[1]
    assert quillflow("submit")[2].count("warning") == 0
