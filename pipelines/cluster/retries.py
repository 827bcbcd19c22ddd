"""Whether the cluster tries again what failed, which its workflow controller says, whatever a pipeline asks for."""

from pipelines.build.environment import Environment
from pipelines.cluster.kubernetes import KUBEFLOW, Kubernetes

LOOK = f"kubectl get configmap workflow-controller-configmap -n {KUBEFLOW} -o jsonpath='{{.data.workflowDefaults}}'"
PATCH = "deploy/kubeflow/retries.yaml"
_LOST_PODS_ALONE = {"OnError", "OnTransientError"}


def void(kubernetes: Kubernetes, environment: Environment) -> str:
    """Why the environment's retries are of no effect but for train, which sees to its own; empty where they are.

    It is empty too where that is not known.
    """
    policy = kubernetes.retry_policy()
    if not environment.retries.count or policy not in _LOST_PODS_ALONE:
        return ""
    return (
        f"the cluster tries lost pods again, not failed ones (retryPolicy {policy}), so retries.count "
        f"{environment.retries.count} counts for train alone, which starts again by itself"
    )
