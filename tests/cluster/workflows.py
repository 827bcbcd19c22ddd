"""The Workflows that run what the API of `api.py` is asked for, and what Kubernetes says of them, as both were seen.

A Workflow may be deleted while its run stays: its owner's deletion removes it, and the API keeps its last answer.
"""

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import kfp_server_api as kfp

KEPT_SECONDS = 3600
"""For how long Kubeflow keeps the Workflow of a run that succeeded or failed, where the pipeline does not say."""
NEVER = datetime(1, 1, 1, tzinfo=UTC)
STOCK_DEFAULTS = """\
spec:
  templateDefaults:
    retryStrategy:
      limit: "2"
      retryPolicy: OnError
"""


@dataclass
class Workflow:
    """What runs a run: its name, whose it is, how long it is kept, and its nodes as Argo has them."""

    name: str
    owner: str | None = None
    ttl: dict[str, int] = field(default_factory=dict)
    nodes: list[dict[str, Any]] = field(default_factory=list)

    def as_object(self, run: str) -> dict[str, Any]:
        """The Kubernetes resource."""
        return {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": {"name": self.name, "labels": {"pipeline/runid": run}},
            "spec": {"ttlStrategy": self.ttl},
            "status": {"nodes": {f"{self.name}-{number}": node for number, node in enumerate(self.nodes)}},
        }

    def restart(self) -> None:
        """Keep the nodes that succeeded, as Kubeflow's retry does: all others begin again, their attempts at 0."""
        self.nodes = [node for node in self.nodes if node["phase"] in {"Succeeded", "Skipped"}]

    def add_pod(self, path: str, phase: str, message: str = "") -> None:
        """A pod of a stage, by the path of tasks that leads to it, such as `train(0).executor(0)`."""
        name = f"{self.name}.root(0).{path}"
        shown = path.rpartition(".")[2]
        self.nodes.append({"name": name, "displayName": shown, "type": "Pod", "phase": phase, "message": message})


def started(pipeline: str, platform: dict[str, Any], owner: str | None) -> Workflow:
    """The Workflow of a pipeline's run, with the pipeline's TTL fields or Kubeflow's own."""
    config = platform.get("platforms", {}).get("kubernetes", {}).get("pipelineConfig", {})
    ttl = {
        "secondsAfterSuccess": config.get("resourceTtlOnSuccess", KEPT_SECONDS),
        "secondsAfterFailure": config.get("resourceTtlOnFailure", KEPT_SECONDS),
    }
    if "resourceTtlOnCompletion" in config:
        ttl["secondsAfterCompletion"] = config["resourceTtlOnCompletion"]
    return Workflow(name=f"{pipeline}-{secrets.token_hex(3)[:5]}", owner=owner, ttl=ttl)


def tasks_of(
    workflow: Workflow, run: str, stage: str, state: str, attempt: int = 0, *, began: datetime, ended: datetime | None
) -> list[Any]:
    """What the API shows of a run at a stage: no error and no pod, the Workflow's own nodes, and one without a name.

    A task that has not ended has the time that is none in Go, or in Unix.
    """
    names = (None, workflow.name, f"{workflow.name}(0)", *((stage, f"{stage}({attempt})") if stage else ()))
    return [
        kfp.V2beta1PipelineTaskDetail(
            run_id=run,
            task_id=f"{number}",
            display_name=name,
            state=state,
            create_time=began,
            start_time=began,
            end_time=ended or (NEVER if number % 2 else datetime.fromtimestamp(0, UTC)),
        )
        for number, name in enumerate(names)
    ]
