"""A Kubeflow Pipelines API in memory: the v2beta1 calls that the commands make, on the published models.

It takes a request only if the model for it has all its fields, and answers with models.
"""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import kfp_server_api as kfp
import yaml

from tests.cluster.checks import RefusedError, check_arguments, check_cron, check_name, parsed
from tests.cluster.workflows import STOCK_DEFAULTS, Workflow, started, tasks_of

MULTI_USER = "a namespace is needed: this API keeps namespaces apart"


@dataclass
class Api:
    """What the server stores, and its responses; the time advances by a second with each object created.

    `pod_logs` are the lines of a run's and stage's pods so far, by the pods' names, the oldest first.
    """

    multi_user: bool = False
    token: str = ""
    page: int = 2
    experiments: dict[str, Any] = field(default_factory=dict)
    pipelines: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, Any] = field(default_factory=dict)
    runs: dict[str, Any] = field(default_factory=dict)
    recurring: dict[str, Any] = field(default_factory=dict)
    platforms: dict[str, Any] = field(default_factory=dict)
    workflows: dict[str, Workflow] = field(default_factory=dict)
    accounts: set[str] = field(default_factory=lambda: {"default"})
    pod_logs: dict[tuple[str, str], dict[str, list[str]]] = field(default_factory=dict)
    controller: dict[str, str] = field(default_factory=lambda: {"workflowDefaults": STOCK_DEFAULTS})
    now: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def health(self, query: dict[str, str], body: Any) -> Any:
        del query, body
        return kfp.V2beta1GetHealthzResponse(multi_user=self.multi_user)

    def list_experiments(self, query: dict[str, str], body: Any) -> Any:
        del body
        self._check_namespace(query.get("namespace"))
        found = list(self.experiments.values())
        if "filter" in query:
            (predicate,) = json.loads(query["filter"])["predicates"]
            assert (predicate["operation"], predicate["key"]) == ("EQUALS", "display_name")
            found = [one for one in found if one.display_name == predicate["stringValue"]]
        return self._paged(kfp.V2beta1ListExperimentsResponse, "experiments", found, query)

    def create_experiment(self, query: dict[str, str], body: Any) -> Any:
        del query
        wanted = parsed(body, kfp.V2beta1Experiment)
        self._check_namespace(wanted.namespace)
        if any(one.display_name == wanted.display_name for one in self.experiments.values()):
            raise RefusedError(409, f"Already exist error: experiment {wanted.display_name}")
        wanted.experiment_id, wanted.created_at = _id(), self._tick()
        self.experiments[wanted.experiment_id] = wanted
        return wanted

    def pipeline_by_name(self, query: dict[str, str], body: Any, name: str) -> Any:
        del body
        self._check_namespace(query.get("namespace"))
        return _one(self.pipelines, lambda one: one.name == name, f"pipeline {name}")

    def create_pipeline(self, query: dict[str, str], body: Any) -> Any:
        del query
        wanted = parsed(body, kfp.V2beta1Pipeline)
        self._check_namespace(wanted.namespace)
        check_name(wanted.name)
        if any(one.name == wanted.name for one in self.pipelines.values()):
            raise RefusedError(409, f"Already exist error: pipeline {wanted.name}")
        wanted.pipeline_id, wanted.created_at = _id(), self._tick()
        self.pipelines[wanted.pipeline_id] = wanted
        return wanted

    def list_versions(self, query: dict[str, str], body: Any, pipeline: str) -> Any:
        del body
        _one(self.pipelines, lambda one: one.pipeline_id == pipeline, f"pipeline {pipeline}")
        found = [one for one in self.versions.values() if one.pipeline_id == pipeline]
        return self._paged(kfp.V2beta1ListPipelineVersionsResponse, "pipeline_versions", found, query)

    def upload_version(self, query: dict[str, str], body: Any) -> Any:
        pipeline = _one(self.pipelines, lambda one: one.pipeline_id == query["pipelineid"], "such pipeline")
        check_name(query["name"])
        # Kept as Kubernetes resources, versions have one namespace for their names.
        if any(one.name == query["name"] for one in self.versions.values()):
            raise RefusedError(409, f"Already exist error: version {query['name']}")
        spec, *platform = yaml.safe_load_all(body["uploadfile"])
        if "pipelineInfo" not in spec:
            raise RefusedError(400, "the file is no pipeline")
        version = kfp.V2beta1PipelineVersion(
            pipeline_id=pipeline.pipeline_id,
            pipeline_version_id=_id(),
            name=query["name"],
            display_name=query["display_name"],
            pipeline_spec=spec,
            created_at=self._tick(),
        )
        self.versions[version.pipeline_version_id] = version
        self.platforms[version.pipeline_version_id] = platform[0] if platform else {}
        return version

    def create_run(self, query: dict[str, str], body: Any) -> Any:
        del query
        run = parsed(body, kfp.V2beta1Run)
        self._check_started(run)
        return self._start(run)

    def fire(self, recurring: str) -> str:
        """Start a run of a recurring run, as its time has come; the run's id."""
        one = self.recurring[recurring]
        run = kfp.V2beta1Run(
            display_name=f"{one.display_name}-1",
            experiment_id=one.experiment_id,
            pipeline_version_reference=one.pipeline_version_reference,
            runtime_config=one.runtime_config,
            recurring_run_id=recurring,
        )
        return str(self._start(run).run_id)

    def _start(self, run: Any) -> Any:
        run.run_id, run.created_at, run.state = _id(), self._tick(), "PENDING"
        version = self.versions[run.pipeline_version_reference.pipeline_version_id]
        platform = self.platforms[version.pipeline_version_id]
        name = version.pipeline_spec["pipelineInfo"]["name"]
        self.workflows[run.run_id] = started(name, platform, run.recurring_run_id)
        self.runs[run.run_id] = run
        return run

    def list_runs(self, query: dict[str, str], body: Any) -> Any:
        del body
        found = [one for one in self.runs.values() if one.experiment_id == query["experiment_id"]]
        return self._paged(kfp.V2beta1ListRunsResponse, "runs", found, query)

    def get_run(self, query: dict[str, str], body: Any, run: str) -> Any:
        del query, body
        return _one(self.runs, lambda one: one.run_id == run, f"run {run}")

    def create_recurring(self, query: dict[str, str], body: Any) -> Any:
        del query
        recurring = parsed(body, kfp.V2beta1RecurringRun)
        self._check_started(recurring)
        check_cron(recurring.trigger.cron_schedule.cron)
        if not 1 <= int(recurring.max_concurrency) <= 10:
            raise RefusedError(400, "max_concurrency must be from 1 to 10")
        recurring.recurring_run_id, recurring.created_at = _id(), self._tick()
        recurring.status = {"ENABLE": "ENABLED", "DISABLE": "DISABLED"}[recurring.mode]
        self.recurring[recurring.recurring_run_id] = recurring
        return recurring

    def list_recurring(self, query: dict[str, str], body: Any) -> Any:
        del body
        found = [one for one in self.recurring.values() if one.experiment_id == query["experiment_id"]]
        return self._paged(kfp.V2beta1ListRecurringRunsResponse, "recurring_runs", found, query)

    def delete_recurring(self, query: dict[str, str], body: Any, recurring: str) -> Any:
        del body
        _one(self.recurring, lambda one: one.recurring_run_id == recurring, f"recurring run {recurring}")
        del self.recurring[recurring]
        for run, workflow in list(self.workflows.items()):
            if workflow.owner == recurring:
                workflow.owner = None
                if query.get("propagation_policy") != "ORPHAN":
                    del self.workflows[run]  # with its pods; the run says on what it said last
        return {}

    def terminate_run(self, query: dict[str, str], body: Any, run: str) -> Any:
        del query, body
        one = _one(self.runs, lambda one: one.run_id == run, f"run {run}")
        if one.state in {"SUCCEEDED", "FAILED", "CANCELED"}:
            raise RefusedError(400, f"Invalid input error: run {run} has ended")
        one.state = "CANCELING"
        if run not in self.workflows:
            text = f'Failed to terminate run {run} due to error terminating its workflow: workflow "it" not found'
            raise RefusedError(500, text)
        self.end(run, "CANCELED")
        return {}

    def archive_run(self, query: dict[str, str], body: Any, run: str) -> Any:
        del query, body
        _one(self.runs, lambda one: one.run_id == run, f"run {run}").storage_state = "ARCHIVED"
        return {}

    def retry_run(self, query: dict[str, str], body: Any, run: str) -> Any:
        """As read in Kubeflow's source: its Workflow has to have failed, and is made again where it is gone."""
        del query, body
        one = _one(self.runs, lambda one: one.run_id == run, f"run {run}")
        if one.state not in {"FAILED", "CANCELED"}:
            raise RefusedError(400, f"Failed to retry run {run}: Workflow must be Failed/Error to retry")
        workflow = self.workflows.setdefault(run, Workflow(name=f"again-{run[:5]}"))
        for node in workflow.nodes:
            if node["phase"] in {"Running", "Pending"}:
                text = f"Workflow cannot be retried with node {node['name']} in {node['phase']} phase"
                raise RefusedError(500, f"Failed to retry run {run}: {text}")
        workflow.restart()
        one.state, one.finished_at = "PENDING", None
        return {}

    def reach(self, run: str, stage: str, attempt: int = 0, *, before: tuple[str, ...] = ()) -> None:
        """Bring a run to a stage, without one to the time between two; each of those `before` took a minute."""
        one, workflow = self.runs[run], self.workflows[run]
        one.state = "RUNNING"
        tasks, began = [], one.created_at
        for done in before:
            ended = began + timedelta(minutes=1)
            tasks += tasks_of(workflow, run, done, "SUCCEEDED", began=began, ended=ended)[3:]
            began = ended
        tasks += tasks_of(workflow, run, stage, "RUNNING", attempt, began=began, ended=None)
        one.run_details = kfp.V2beta1RunDetails(task_details=tasks)

    def end(self, run: str, state: str = "SUCCEEDED", failed: str = "", *, last: str = "") -> None:
        """End a run, after its stage `last`; where a task failed, those of Kubeflow's own around it fail too."""
        one = self.runs[run]
        one.state, one.finished_at = state, one.created_at + timedelta(minutes=61)
        if not (failed or last):
            return
        tasks = (one.run_details and one.run_details.task_details) or []
        done = [task for task in tasks if task.state == "SUCCEEDED"]
        began = max((task.end_time for task in done), default=one.created_at)
        state = "FAILED" if failed else "SUCCEEDED"
        done += tasks_of(self.workflows[run], run, failed or last, state, began=began, ended=one.finished_at)
        one.run_details = kfp.V2beta1RunDetails(task_details=done)

    def _check_namespace(self, namespace: str | None) -> None:
        if bool(namespace) != self.multi_user:
            raise RefusedError(400, MULTI_USER if self.multi_user else "in single-user mode leave the namespace out")

    def _check_started(self, what: Any) -> None:
        if what.experiment_id not in self.experiments:
            raise RefusedError(404, f"experiment {what.experiment_id} not found")
        version = self.versions.get(what.pipeline_version_reference.pipeline_version_id)
        if version is None or version.pipeline_id != what.pipeline_version_reference.pipeline_id:
            raise RefusedError(404, "pipeline version not found")
        check_arguments(version.pipeline_spec, what.runtime_config.parameters)

    def _paged(self, response: Any, name: str, found: list[Any], query: dict[str, str]) -> Any:
        if query.get("sort_by") == "created_at desc":
            found.reverse()
        start = int(query.get("page_token") or 0)
        end = start + min(int(query["page_size"]), self.page)
        rest = {"next_page_token": str(end)} if end < len(found) else {}
        return response(**{name: found[start:end]}, total_size=len(found), **rest)

    def _tick(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


ROUTES: list[tuple[str, str, Callable[..., Any]]] = [
    ("GET", "/healthz", Api.health),
    ("GET", "/experiments", Api.list_experiments),
    ("POST", "/experiments", Api.create_experiment),
    ("GET", "/pipelines/names/([^/]+)", Api.pipeline_by_name),
    ("POST", "/pipelines", Api.create_pipeline),
    ("GET", "/pipelines/([^/]+)/versions", Api.list_versions),
    ("POST", "/pipelines/upload_version", Api.upload_version),
    ("POST", "/runs", Api.create_run),
    ("GET", "/runs", Api.list_runs),
    ("GET", "/runs/([^/:]+)", Api.get_run),
    ("POST", "/runs/([^/:]+):terminate", Api.terminate_run),
    ("POST", "/runs/([^/:]+):archive", Api.archive_run),
    ("POST", "/runs/([^/:]+):retry", Api.retry_run),
    ("POST", "/recurringruns", Api.create_recurring),
    ("GET", "/recurringruns", Api.list_recurring),
    ("DELETE", "/recurringruns/([^/:]+)", Api.delete_recurring),
]


def _id() -> str:
    return str(uuid.uuid4())


def _one(things: dict[str, Any], chosen: Callable[[Any], bool], name: str) -> Any:
    for thing in things.values():
        if chosen(thing):
            return thing
    raise RefusedError(404, f"ResourceNotFoundError: {name} not found")
