"""Asks the cluster's Kubernetes, as `kubectl` does from here; what can't be asked is unknown.

Kubeflow's API does not say that a run's Workflow is gone, why a pod waits, or how failures are retried. Nothing is
changed here, and nothing depends on it: without a kubeconfig, or without permission, fewer details are shown.
"""

import os
from collections.abc import Mapping
from functools import cached_property
from http import HTTPStatus
from typing import Any

import yaml

from pipelines.build.environment import Cluster

TIMEOUT_SECONDS = (3, 10)
KUBEFLOW = "kubeflow"
"""Kubeflow's own namespace, which is also that of runs if Kubeflow does not separate namespaces."""


_ARGO_DEFAULT = "OnFailure"
"""The policy if no default is set; pipelines do not name a policy."""


class Kubernetes:
    """The Kubernetes of a kubeconfig's context: the environment's, or else the current one."""

    def __init__(self, cluster: Cluster) -> None:
        self._context = cluster.context or None
        self._namespace = cluster.namespace or KUBEFLOW
        self._account = cluster.service_account or "default"

    def workflow(self, run: str) -> Mapping[str, Any] | None:
        """A run's Workflow; empty if it is gone, None if unknown."""
        path = f"/apis/argoproj.io/v1alpha1/namespaces/{self._namespace}/workflows"
        found = self._get(path, labelSelector=f"pipeline/runid={run}")
        items = found.get("items") if found else None
        if items:
            workflow: Mapping[str, Any] = items[0]
            return workflow
        return {} if items == [] and self._is_the_right_one() else None

    def _is_the_right_one(self) -> bool:
        """Whether the runs' service account exists: another cluster has no Workflows of the namespace either."""
        return bool(self._get(f"/api/v1/namespaces/{self._namespace}/serviceaccounts/{self._account}"))

    def retry_policy(self) -> str | None:
        """Which failures the workflow controller retries, by Argo's name for it; None if unknown."""
        settings = self._get(f"/api/v1/namespaces/{KUBEFLOW}/configmaps/workflow-controller-configmap")
        if not settings:
            return None
        text = (settings.get("data") or {}).get("workflowDefaults") or ""
        try:
            strategy = yaml.safe_load(text)["spec"]["templateDefaults"]["retryStrategy"]
            return str(strategy.get("retryPolicy") or _ARGO_DEFAULT)
        except (yaml.YAMLError, TypeError, KeyError, AttributeError):
            return _ARGO_DEFAULT

    def lines(self, run: str, stage: str, count: int) -> list[str]:
        """The last lines that the newest pod of a run's stage has written so far; none if unknown."""
        path = f"/api/v1/namespaces/{self._namespace}/pods"
        found = self._get(path, labelSelector=f"pipeline/runid={run},app.kubernetes.io/component={stage}")
        pods = [pod["metadata"] for pod in (found or {}).get("items") or []]
        if not pods:
            return []
        newest = max(pods, key=lambda pod: str(pod.get("creationTimestamp")))
        text = self._get(f"{path}/{newest['name']}/log", as_text=True, container="main", tailLines=f"{count}")
        return str(text or "").removesuffix("\n").split("\n")

    def _get(self, path: str, *, as_text: bool = False, **query: str) -> Any:
        """Its response, an object or text; empty if there is no such object, None if it can't be asked."""
        if self._api is None:
            return None
        from kubernetes.client import ApiException

        try:
            return self._api.call_api(
                path,
                "GET",
                query_params=list(query.items()),
                header_params={"Accept": "text/plain" if as_text else "application/json"},
                response_type="str" if as_text else "object",
                auth_settings=["BearerToken"],
                _return_http_data_only=True,
                _request_timeout=TIMEOUT_SECONDS,
            )
        except ApiException as error:
            return {} if error.status == HTTPStatus.NOT_FOUND else None
        except Exception:  # noqa: BLE001 -- whatever a kubeconfig's sign-in and a network may fail with
            self._api = None  # a server that does not respond is not waited for again
            return None

    @cached_property
    def _api(self) -> Any:
        from kubernetes.client import Configuration
        from kubernetes.config import new_client_from_config

        configuration = Configuration()
        configuration.retries = False
        try:
            return new_client_from_config(
                config_file=os.environ.get("KUBECONFIG"),
                context=self._context,
                client_configuration=configuration,
                persist_config=False,
            )
        except Exception:  # noqa: BLE001 -- no kubeconfig, or one that is none
            return None
