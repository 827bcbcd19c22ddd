"""The Kubernetes beneath the API of `api.py`, as far as it is asked, and the kubeconfig that leads to it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.api import Api
from tests.cluster.checks import Plain, RefusedError


def workflows(api: Api, query: dict[str, str], body: Any, namespace: str) -> Any:
    del body, namespace
    key, _, run = query["labelSelector"].partition("=")
    assert key == "pipeline/runid"
    return {"items": [api.workflows[run].as_object(run)] if run in api.workflows else []}


def pods(api: Api, query: dict[str, str], body: Any, namespace: str) -> Any:
    del body, namespace
    labels = dict(part.split("=") for part in query["labelSelector"].split(","))
    found = api.pod_logs.get((labels["pipeline/runid"], labels["app.kubernetes.io/component"]), {})
    return {
        "items": [
            {"metadata": {"name": name, "creationTimestamp": f"2026-01-02T03:04:{number:02}Z"}}
            for number, name in enumerate(found)
        ][::-1]
    }


def pod_log(api: Api, query: dict[str, str], body: Any, namespace: str, pod: str) -> Any:
    """The container's lines, as plain text; only main's are asked for."""
    del body, namespace
    assert query["container"] == "main"
    lines = next(found[pod] for found in api.pod_logs.values() if pod in found)
    return Plain("".join(f"{line}\n" for line in lines[-int(query["tailLines"]) :]))


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
    ("GET", "/api/v1/namespaces/([^/]+)/pods", pods),
    ("GET", "/api/v1/namespaces/([^/]+)/pods/([^/]+)/log", pod_log),
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
