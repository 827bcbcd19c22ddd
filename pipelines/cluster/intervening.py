"""What is done to a run from outside: it is ended, and retried."""

import re
from typing import Any

from pipelines.cluster.client import Client, ClusterError
from pipelines.cluster.runs import ENDED, GONE, GOOD, FailedRunError, as_dict, get, state_of
from pipelines.cluster.tasks import stages_in

# Kubeflow's message when it is asked to end a run whose Workflow is gone.
_NO_WORKFLOW = re.compile(r"workflow.* not found")


def cancel(client: Client, run: str) -> dict[str, Any]:
    """End a run, also one whose Workflow is gone, which Kubeflow itself can't end; return its description.

    Raises:
        FailedRunError: it has ended.
    """
    state = state_of(get(client, run))
    if state in ENDED:
        raise FailedRunError(f"run {run} has already ended: {state.lower()}")
    try:
        client.write(f"the end of run {run}", client.runs.run_service_terminate_run, run)
    except ClusterError as error:
        gone = client.kubernetes.workflow(run)
        if gone or (gone is None and not _NO_WORKFLOW.search(str(error))):
            raise
        client.write(f"the archive's run {run}", client.runs.run_service_archive_run, run)
    return as_dict(get(client, run))


def retry(client: Client, run: str) -> tuple[dict[str, Any], list[str]]:
    """Let Kubeflow retry a run that failed or was cancelled; its description, and the stages that are kept.

    Stages that succeeded are kept, and train resumes from its checkpoints: its task keeps its place.

    Raises:
        FailedRunError: it has not ended, has succeeded, or was ended after its Workflow had gone.
    """
    now = get(client, run)
    state = state_of(now)
    if state not in ENDED:
        raise FailedRunError(
            f"run {run} is {state.lower()}; quillflow runs cancel {run} ends it, then it can be retried"
        )
    if state in GOOD:
        raise FailedRunError(f"run {run} has {state.lower()}; quillflow rerun does one of its stages again")
    if now.state not in ENDED:
        raise FailedRunError(
            f"run {run}: {GONE}, so Kubeflow can't retry it; quillflow rerun train --from {run} resumes its training"
        )
    kept = list(stages_in(now, "SUCCEEDED"))
    client.write(f"the retry of run {run}", client.runs.run_service_retry_run, run)
    return as_dict(get(client, run)), kept
