"""The Kubernetes beneath the API of `api.py`, as far as it is asked, and the kubeconfig that leads to it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.api import Api
from tests.cluster.checks import RefusedError


def workflows(api: Api, query: dict[str, str], body: Any, namespace: str) -> Any:
    del body, namespace
    key, _, run = query["labelSelector"].partition("=")
    assert key == "pipeline/runid"
    return {"items": [api.workflows[run].as_object(run)] if run in api.workflows else []}


def account(api: Api, query: dict[str, str], body: Any, namespace: str, name: str) -> Any:
    del query, body, namespace
    if name not in api.accounts:
        raise RefusedError(404, f"serviceaccounts {name} not found")
    return {"kind": "ServiceAccount"}


def controller(api: Api, query: dict[str, str], body: Any) -> Any:
    del query, body
    if not api.controller:
        raise RefusedError(403, "configmaps is forbidden: User ada cannot get resource configmaps")
    return {"kind": "ConfigMap", "data": api.controller}


KUBERNETES: list[tuple[str, str, Callable[..., Any]]] = [
    ("GET", "/apis/argoproj.io/v1alpha1/namespaces/([^/]+)/workflows", workflows),
    ("GET", "/api/v1/namespaces/([^/]+)/serviceaccounts/([^/]+)", account),
    ("GET", "/api/v1/namespaces/kubeflow/configmaps/workflow-controller-configmap", controller),
]


def write_kubeconfig(path: Path, url: str) -> None:
    """A kubeconfig whose current context is the server at `url`."""
    names = {"cluster": "lab", "user": "ada"}
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "lab", "cluster": {"server": url}}],
        "users": [{"name": "ada", "user": {}}],
        "contexts": [{"name": "lab", "context": names}],
        "current-context": "lab",
    }
    path.write_text(yaml.safe_dump(kubeconfig))
