"""What Kubernetes is asked beside Kubeflow: how failures are tried again, and whether a run's Workflow is gone."""

from collections.abc import Iterator
from typing import Any

import pytest

from pipelines.build.environment import Cluster
from pipelines.cluster.kubernetes import Kubernetes
from tests.kubernetes.kubectl import DEPLOY, apply, get, kubectl, until

RUN = "0c9ea83c-4db2-42a8-b225-d119427029d1"
WORKFLOW: dict[str, Any] = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Workflow",
    "metadata": {"name": "text-generation-x", "namespace": "kubeflow", "labels": {"pipeline/runid": RUN}},
    "status": {"phase": "Running"},
}
STOCK = """\
spec:
  templateDefaults:
    retryStrategy: {limit: 2, retryPolicy: OnError}
"""


@pytest.fixture(scope="module", autouse=True)
def kubeflow() -> Iterator[None]:
    """Its namespace, its controller's settings, and Workflows as a kind of object."""
    apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kubeflow"}},
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "workflow-controller-configmap", "namespace": "kubeflow"},
            "data": {"workflowDefaults": STOCK},
        },
    )
    yield
    kubectl("delete", "namespace", "kubeflow", "--wait=false")


@pytest.fixture
def asked() -> Kubernetes:
    return Kubernetes(Cluster(service_account="default"))


@pytest.fixture
def workflows() -> Iterator[None]:
    """Workflows as a kind of object, as Argo has them."""
    kind = {"plural": "workflows", "singular": "workflow", "kind": "Workflow", "listKind": "WorkflowList"}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    apply(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "workflows.argoproj.io"},
            "spec": {
                "group": "argoproj.io",
                "names": kind,
                "scope": "Namespaced",
                "versions": [{"name": "v1alpha1", "served": True, "storage": True, "schema": schema}],
            },
        }
    )
    kubectl("wait", "--for=condition=Established", "crd/workflows.argoproj.io", "--timeout=30s")
    yield
    kubectl("delete", "crd", "workflows.argoproj.io")


def test_the_patch_of_deploy_makes_failed_containers_be_tried_again(asked: Kubernetes) -> None:
    assert asked.retry_policy() == "OnError"
    settings = ("configmap", "workflow-controller-configmap", "--namespace=kubeflow")
    kubectl("patch", *settings, f"--patch-file={DEPLOY / 'kubeflow/retries.yaml'}")
    assert asked.retry_policy() == "Always"


def test_without_workflows_none_is_taken_for_gone(asked: Kubernetes) -> None:
    assert asked.workflow(RUN) is None


@pytest.mark.usefixtures("workflows")
def test_a_workflow_is_found_by_its_run_and_reported_as_gone(asked: Kubernetes) -> None:
    apply(WORKFLOW)
    found = until("the Workflow", lambda: asked.workflow(RUN))
    assert found["status"] == {"phase": "Running"}
    kubectl("delete", "workflow", "text-generation-x", "--namespace=kubeflow")
    assert asked.workflow(RUN) == {}


def test_the_way_for_single_user_kubeflow_is_taken() -> None:
    kubectl("apply", "--kustomize", str(DEPLOY / "standalone"))
    policies = get("networkpolicies", "--namespace=kubeflow")["items"]
    assert {policy["metadata"]["name"] for policy in policies} == {
        "quillflow-stages",
        "quillflow-sources",
        "quillflow-notifications",
    }
