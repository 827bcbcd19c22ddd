"""Calls to the API server of Kubeflow Pipelines: retried if that is safe, with errors of one line."""

import json
import os
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any, NoReturn

import kfp_server_api
from kfp_server_api.exceptions import ApiException
from urllib3.exceptions import HTTPError

from components.artifacts import storage
from components.artifacts.errors import QuillflowError, UsageError
from components.artifacts.storage.failures import network_cause, one_line, passes
from pipelines.build.environment import Cluster
from pipelines.cluster.kubernetes import Kubernetes

ENDPOINT_VARIABLE = "KF_PIPELINES_ENDPOINT"
TOKEN_VARIABLE = "KFP_EXISTING_TOKEN"  # noqa: S105 -- a variable's name, the one that the command kfp reads
TOKEN_FILE_VARIABLE = "KF_PIPELINES_SA_TOKEN_PATH"  # noqa: S105 -- a variable's name, which pods are given
TIMEOUT_SECONDS = (10, 60)
WAITS_SECONDS = (0.5, 1.0, 2.0, 4.0)
PAGE = 100


class ClusterError(QuillflowError):
    """The API server refuses, or its response is not one of the API's."""


class MissingError(ClusterError):
    """The object does not exist on the cluster."""


class TakenError(ClusterError):
    """The object exists already, or is being changed."""


class AwayError(ClusterError):
    """The API server can't be reached, or fails temporarily."""


class Client:
    """An API server; asked once whether it separates namespaces.

    Raises:
        UsageError: no endpoint is given.
        ClusterError: as in every call: what the server refuses, where, and what to do.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.kubernetes = Kubernetes(cluster)
        self.endpoint = _endpoint(cluster.endpoint)
        configuration = kfp_server_api.Configuration(host=self.endpoint)
        configuration.retries = False  # urllib3's own retries ignore a server's responses
        configuration.ssl_ca_cert = os.environ.get("SSL_CERT_FILE")
        if token := _token():
            configuration.api_key["authorization"] = token
            configuration.api_key_prefix["authorization"] = "Bearer"
        self._api = kfp_server_api.ApiClient(configuration)
        self.experiments = kfp_server_api.ExperimentServiceApi(self._api)
        self.pipelines = kfp_server_api.PipelineServiceApi(self._api)
        self.uploads = kfp_server_api.PipelineUploadServiceApi(self._api)
        self.runs = kfp_server_api.RunServiceApi(self._api)
        self.recurring = kfp_server_api.RecurringRunServiceApi(self._api)
        health = self.read("its health", kfp_server_api.HealthzServiceApi(self._api).healthz_service_get_healthz)
        self.namespace = {"namespace": cluster.namespace} if health.multi_user else {}
        """The argument that calls need if namespaces are separate, and must not have otherwise."""

    def read(self, what: str, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """The response to a call that changes nothing; retried if the server is briefly unavailable."""
        for wait in WAITS_SECONDS:
            try:
                return self._call(what, call, *arguments, **named)
            except AwayError:
                time.sleep(wait)
        return self._call(what, call, *arguments, **named)

    def write(self, what: str, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """The response to a call that changes something. It is made only once, since it may have succeeded."""
        try:
            return self._call(what, call, *arguments, **named)
        except AwayError as error:
            raise AwayError(f"{error}; it may have succeeded nevertheless, so check first") from None

    def pages(self, what: str, call: Callable[..., Any], field: str, *arguments: Any, **named: Any) -> Iterator[Any]:
        """All items in `field` of a list's responses, page by page."""
        token = ""
        while True:
            answer = self.read(what, call, *arguments, page_token=token, page_size=PAGE, **named)
            yield from getattr(answer, field) or []
            token = answer.next_page_token
            if not token:
                return

    def _call(self, what: str, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        try:
            answer = call(*arguments, _request_timeout=TIMEOUT_SECONDS, **named)
        except (HTTPError, ApiException) as error:
            self._refuse(what, error)
        except (AttributeError, UnicodeDecodeError) as error:
            # The generated client raises on failures whose body is missing or not text.
            if not isinstance(error.__context__, ApiException):
                raise
            self._refuse(what, error.__context__)
        kind = str(self._api.last_response.getheader("Content-Type") or "")
        if "json" not in kind:
            raise ClusterError(
                f"{self._name}: answers {kind or 'nothing'} for {what}, so it is not a Kubeflow Pipelines API or "
                f"requires a sign-in; check the endpoint, and set {TOKEN_VARIABLE} to a token if it needs one"
            )
        return answer

    @property
    def _name(self) -> str:
        return storage.redacted(self.endpoint)

    def _refuse(self, what: str, error: HTTPError | ApiException) -> NoReturn:
        if not isinstance(error, ApiException) or not error.status:
            cause = network_cause(error) if isinstance(error, HTTPError) else one_line(error.reason)
            raise AwayError(
                f"{self._name}: can't be reached ({cause}); check the endpoint and whether the server is running, or "
                "forward its port: kubectl port-forward -n kubeflow svc/ml-pipeline 8888"
            )
        said = f": {message}" if (message := _message(error.body)) else ""
        status = error.status
        if status in {HTTPStatus.UNAUTHORIZED, *range(300, 400)}:
            raise ClusterError(
                f"{self._name}: requires a sign-in, or the token has expired; set {TOKEN_VARIABLE} to a valid token"
            )
        if status == HTTPStatus.FORBIDDEN:
            where = f" in namespace {self.cluster.namespace}" if self.cluster.namespace else ""
            raise ClusterError(f"{self._name}: does not allow {what}{said}; ask its owner for permission{where}")
        if status == HTTPStatus.NOT_FOUND:
            raise MissingError(f"{self._name}: {what} does not exist{said}; check the name and the environment")
        if status == HTTPStatus.CONFLICT:
            raise TakenError(f"{self._name}: {what} already exists or is being changed{said}; check, then try again")
        if passes(status):
            raise AwayError(f"{self._name}: {what} failed with {status}{said}; try again later")
        raise ClusterError(f"{self._name}: rejected {what} ({status}{said}); fix the problem named above and retry")


def _endpoint(given: str) -> str:
    endpoint = given.rstrip("/")
    if not endpoint:
        raise UsageError(
            f"no cluster is given; name its API with --endpoint, {ENDPOINT_VARIABLE} or an --environment that has one"
        )
    if not storage.is_web(endpoint):
        raise UsageError(f"{storage.redacted(endpoint)}: write the endpoint with http:// or https://")
    return endpoint


def _token() -> str:
    """The token to sign in with, from the variable of the command kfp or from a pod's file; empty if there is none."""
    if token := os.environ.get(TOKEN_VARIABLE):
        return token.strip()
    file = os.environ.get(TOKEN_FILE_VARIABLE)
    return Path(file).read_text(encoding="utf-8").strip() if file else ""


def _message(body: str | bytes | None) -> str:
    """The server's message about a failure as one line; empty if it has none that helps a person."""
    try:
        values = json.loads(body or "")
    except ValueError:
        return ""
    return one_line(values.get("message") or values.get("error") or "") if isinstance(values, dict) else ""
