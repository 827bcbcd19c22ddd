"""Whether the cluster retries failed tasks, which its workflow controller decides, whatever a pipeline asks for."""

from pipelines.build.environment import Environment
from pipelines.cluster.kubernetes import KUBEFLOW, Kubernetes

LOOK = f"kubectl get configmap workflow-controller-configmap -n {KUBEFLOW} -o jsonpath='{{.data.workflowDefaults}}'"
PATCH = "deploy/kubeflow/retries.yaml"
_LOST_PODS_ALONE = {"OnError", "OnTransientError"}


def ineffective(kubernetes: Kubernetes, environment: Environment) -> str:
    """Why the environment's retries have no effect except on train, which retries by itself; empty if they have one.

    It is also empty if this is unknown.
    """
    policy = kubernetes.retry_policy()
    if not environment.retries.count or policy not in _LOST_PODS_ALONE:
        return ""
    return (
        f"the cluster retries lost pods, but not failed ones (retryPolicy {policy}), so retries.count "
        f"{environment.retries.count} applies only to train, which restarts by itself"
    )
