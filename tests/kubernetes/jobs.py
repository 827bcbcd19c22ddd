"""The Jobs of deploy/ as the tests run them: on a small text, with less CPU and memory, and else as they are."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import yaml

from tests.kubernetes.kubectl import DEPLOY, Object, get, kubectl, patch, run, until, with_changes

SMALL = {
    "ingest": {"source": "s3://quillflow/tale.txt"},
    "vectorize": {"length": 32},
    "train": {"units": 32, "batch": 8, "epochs": 3, "checkpoint-steps": 50, "dropout": 0.2, "device": "cpu"},
    "sample": {"count": 2, "length": 40},
}
_CONTAINER = "/spec/template/spec/containers/0"
_KEPT = "quillflow.example/kept"
_numbers = count()


@dataclass
class Job:
    """A stage's Job on the cluster."""

    stage: str

    def pods(self) -> list[Object]:
        """Its pods, oldest first."""
        found: list[Object] = get("pods", f"--selector=batch.kubernetes.io/job-name={self.stage}")["items"]
        return sorted(found, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))

    def running(self, *, but: str = "") -> str:
        """The name of the pod whose stage runs, as soon as one does and it isn't the one named."""

        def look() -> str:
            live = [
                pod for pod in self.pods() if "running" in state(pod) and "deletionTimestamp" not in pod["metadata"]
            ]
            return next((name(pod) for pod in live if name(pod) != but), "")

        return until(f"a running pod of {self.stage}", look, reported=self.reported)

    def ended(self, pod: str = "") -> Object:
        """How a pod's container ended, as soon as it has; without a name that of the first pod."""

        def look() -> Object:
            found: list[Object] = [state(one).get("terminated", {}) for one in self.pods() if pod in {"", name(one)}]
            return found[0] if found else {}

        return until(f"the end of a pod of {self.stage}", look, reported=self.reported)

    @contextmanager
    def kept(self, pod: str) -> Iterator[None]:
        """Keep a pod's object while the block lasts: one that is deleted may be gone before its end was seen."""
        _set_finalizers(pod, [*_finalizers(pod), _KEPT])
        try:
            yield
        finally:
            _set_finalizers(pod, [one for one in _finalizers(pod) if one != _KEPT])

    def condition(self, kind: str) -> Object:
        """The condition of a kind that holds; empty where it doesn't."""
        conditions: list[Object] = get("job", self.stage)["status"].get("conditions", [])
        return next((each for each in conditions if (each["type"], each["status"]) == (kind, "True")), {})

    def completed(self) -> "Job":
        """This Job, as soon as it is complete."""

        def look() -> Object:
            assert not self.condition("Failed"), self.reported()
            return self.condition("Complete")

        until(f"the end of {self.stage}", look, 300, reported=self.reported)
        return self

    def failures(self) -> int:
        """How many pods count as failed."""
        return int(get("job", self.stage)["status"].get("failed", 0))

    def log(self, pod: str) -> str:
        return kubectl("logs", pod)

    def reported(self) -> str:
        """What there is to see where it does not do well."""
        events = run("get", "events", "--sort-by=.lastTimestamp").stdout[-1500:]
        logs = run("logs", f"--selector=app.kubernetes.io/component={self.stage}", "--prefix", "--tail=20").stdout
        return f"{events}\n{logs}"

    def delete(self) -> None:
        """Delete it and its pods, which may save first."""
        kubectl("delete", "job", self.stage, "--ignore-not-found", "--cascade=foreground", "--wait")


@dataclass
class Jobs:
    """Starts Jobs; `directory` is where their kustomizations are written."""

    directory: Path
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: SMALL)

    def start(self, stage: str, *changes: tuple[str, Any], **settings: Any) -> Job:
        """Apply a stage's Job again, with settings in place of those in deploy/jobs, and changes by path."""
        job = Job(stage)
        job.delete()
        everything = patch(
            "Job",
            stage,
            (f"{_CONTAINER}/args", arguments(stage, {**self.changes[stage], **settings})),
            (f"{_CONTAINER}/resources/requests/cpu", "100m"),
            (f"{_CONTAINER}/resources/requests/memory", "1Gi"),
            (f"{_CONTAINER}/resources/limits/memory", "2Gi"),
            *changes,
        )
        directory = with_changes(self.directory / str(next(_numbers)), "overlays/on-prem/jobs", everything)
        kubectl("apply", "--kustomize", directory, f"--selector=app.kubernetes.io/component={stage}")
        return job


def in_container(path: str, value: Any) -> tuple[str, Any]:
    return f"{_CONTAINER}/{path}", value


def in_pod(path: str, value: Any) -> tuple[str, Any]:
    return f"/spec/template/spec/{path}", value


def arguments(stage: str, settings: Mapping[str, Any]) -> list[str]:
    """The arguments that deploy/jobs has, with settings put on top."""
    job = yaml.safe_load((DEPLOY / "jobs" / f"{stage}.yaml").read_text())
    given = {f"--{flag}": f"--{flag}={value}" for flag, value in settings.items()}
    there: list[str] = job["spec"]["template"]["spec"]["containers"][0]["args"]
    flags = {each.partition("=")[0] for each in there}
    return [given.get(each.partition("=")[0], each) for each in there] + [
        each for flag, each in given.items() if flag not in flags
    ]


def name(pod: Object) -> str:
    return str(pod["metadata"]["name"])


def state(pod: Object) -> Object:
    """What state the stage's container is in; empty before there is one."""
    found = pod["status"].get("containerStatuses") or [{}]
    return dict(found[0].get("state", {}))


def scheduler_s_word(job: Job) -> str:
    """Why a pod of a Job is not scheduled, as the Workflow of a run repeats it; empty while nothing is said."""
    conditions = [each for pod in job.pods() for each in pod["status"].get("conditions", [])]
    waiting = (each for each in conditions if each["type"] == "PodScheduled" and each["status"] == "False")
    return next((f"{each['reason']}: {each['message']}" for each in waiting), "")


def _finalizers(pod: str) -> list[str]:
    """The names of those that a pod waits for before it is gone."""
    found: list[str] = get("pod", pod)["metadata"].get("finalizers", [])
    return found


def _set_finalizers(pod: str, names: list[str]) -> None:
    kubectl("patch", "pod", pod, "--type=merge", f"--patch={json.dumps({'metadata': {'finalizers': names}})}")
