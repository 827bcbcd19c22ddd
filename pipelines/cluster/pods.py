"""A run's pods according to its Workflow: each one's stage, and what it waits for or ended with."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.cluster.tasks import stage_of

_ATTEMPT = re.compile(r"\(\d+\)")


@dataclass(frozen=True, kw_only=True)
class Pod:
    """A pod, or the attempt to make one: its stage, which attempt it is (from 1), Argo's phase for it, and why."""

    stage: str
    attempt: int
    phase: str
    message: str

    @property
    def is_refused(self) -> bool:
        """Whether the cluster will never accept such a pod; one that exceeds a quota now may fit later."""
        return self.phase == "Error" and "forbidden" in self.message and "exceeded quota" not in self.message

    @property
    def is_out_of_memory(self) -> bool:
        """Whether it was killed because it ran out of memory."""
        return "OOMKilled" in self.message


def pods(workflow: Mapping[str, Any] | None) -> list[Pod]:
    """The pods of a Workflow's stages in the order of their start; none if the Workflow is unknown.

    A node is named by its path, such as train-mg7fp.root(0).train(0).executor(1): attempts differ in the numbers.
    """
    nodes = ((workflow or {}).get("status") or {}).get("nodes") or {}
    of_pods = [node for node in nodes.values() if node.get("type") == "Pod"]
    tries: Counter[str] = Counter()
    found = []
    for node in sorted(of_pods, key=lambda node: str(node.get("startedAt") or "")):
        stages = [stage for part in node.get("name", "").split(".") if (stage := stage_of(part))]
        if not stages:
            continue
        way = _ATTEMPT.sub("", node["name"])
        tries[way] += 1
        phase, message = node.get("phase") or "", node.get("message") or ""
        found.append(Pod(stage=stages[-1], attempt=tries[way], phase=phase, message=message))
    return found


def last(of: Sequence[Pod], stage: str) -> Pod | None:
    """The pod of a stage that started last."""
    return next((pod for pod in reversed(of) if pod.stage == stage), None)
