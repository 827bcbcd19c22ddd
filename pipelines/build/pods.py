"""What a stage's pod asks of the cluster."""

import re
from typing import Literal, Self

from pydantic import model_validator

from components.command.settings import Settings, setting
from pipelines.build.forms import Annotations, Cores, Labels, Memory, NodeLabels

_UNITS = {"": 1.0, "m": 1e-3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}


class Toleration(Settings):
    """A taint that a stage's pod tolerates."""

    key: str = setting("", "the taint's key; empty, with Exists, matches every taint")
    operator: Literal["Equal", "Exists"] = setting("Equal", "whether the taint's value must match, or may be any")
    value: str = setting("", "the taint's value, for Equal")
    effect: Literal["", "NoSchedule", "PreferNoSchedule", "NoExecute"] = setting(
        "", "the taint's effect; empty matches all"
    )

    @model_validator(mode="after")
    def _kubernetes_takes_it(self) -> Self:
        if self.operator == "Exists" and self.value:
            raise ValueError("with operator Exists leave value empty")
        if self.operator == "Equal" and not self.key:
            raise ValueError("name the taint's key, or set operator to Exists")
        return self


class Pod(Settings):
    """What a stage's pod asks of the cluster."""

    cpu_request: Cores = setting("", "cores to reserve; empty reserves none", unit="cores")
    cpu_limit: Cores = setting("", "most cores that it may use; empty for no limit", unit="cores")
    memory_request: Memory = setting("", "memory to reserve; empty reserves none", unit="bytes with suffix")
    memory_limit: Memory = setting(
        "", "memory limit, beyond which it is killed; empty for no limit", unit="bytes with suffix"
    )
    ephemeral_storage: Memory = setting(
        "",
        "disk to reserve, beyond which it is evicted; empty reserves none",
        unit="bytes with suffix",
    )
    node_selector: NodeLabels = setting({}, "labels of nodes that it may run on")
    preferred_nodes: NodeLabels = setting({}, "labels of nodes that it prefers; with none free it runs on others")
    tolerations: tuple[Toleration, ...] = setting((), "taints that it tolerates")
    labels: Labels = setting({}, "labels of its pod, on top of those for all pods")
    annotations: Annotations = setting({}, "annotations of its pod, on top of those for all pods")
    shared_memory: Memory = setting("", "size of /dev/shm; empty for the runtime's 64Mi", unit="bytes with suffix")
    timeout: int = setting(0, "how long an attempt may take; 0 for no limit", unit="s", ge=0)

    @model_validator(mode="after")
    def _limits_hold_requests(self) -> Self:
        for what in ("cpu", "memory"):
            request, limit = getattr(self, f"{what}_request"), getattr(self, f"{what}_limit")
            if request and limit and quantity(request) > quantity(limit):
                raise ValueError(f"{what}_request {request} is more than {what}_limit {limit}")
        return self


class TrainPod(Pod):
    """What train's pod asks of the cluster."""

    gpus: int = setting(0, "GPUs to train on; with any, the image train-gpu is used", unit="GPUs", ge=0)
    gpu_type: str = setting(
        "nvidia.com/gpu", "the resource name of its GPUs; node_selector chooses the model", min_length=1
    )

    @model_validator(mode="after")
    def _kubeflow_passes_on_one_resource(self) -> Self:
        if self.gpus and self.ephemeral_storage:
            raise ValueError(
                f"ephemeral_storage {self.ephemeral_storage} has no effect with gpus: Kubeflow passes on one resource "
                "besides CPUs and memory; set the namespace's default (LimitRange, defaultRequest) instead"
            )
        return self


class SamplePod(Pod):
    """What sample's pods ask of the cluster."""

    shards: int = setting(
        1, "number of pods that write in parallel; the texts do not depend on it", unit="pods", ge=1, le=1000
    )


def quantity(text: str) -> float:
    """A number of cores, or of bytes."""
    number, suffix = re.fullmatch(r"([\d.]+)(\D*)", text).groups()  # type: ignore[union-attr]
    return float(number) * _UNITS[suffix]
