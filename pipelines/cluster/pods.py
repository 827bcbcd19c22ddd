"""A run's pods as its Workflow tells of them: of which stage each is, and what it waits for or ended with."""

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
        """Whether the cluster will never take such a pod; what is over a quota now may fit later."""
        return self.phase == "Error" and "forbidden" in self.message and "exceeded quota" not in self.message

    @property
    def is_out_of_memory(self) -> bool:
        """Whether it was killed for the memory it took."""
        return "OOMKilled" in self.message


def pods(workflow: Mapping[str, Any] | None) -> list[Pod]:
    """The pods of a Workflow's stages in the order they began; none where the Workflow is not known.

    A node is named by the way to it, such as train-mg7fp.root(0).train(0).executor(1): attempts differ in the numbers.
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
    """The pod of a stage that began last."""
    return next((pod for pod in reversed(of) if pod.stage == stage), None)
