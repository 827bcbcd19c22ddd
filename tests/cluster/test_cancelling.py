"""`quillflow runs cancel`, and runs whose workflow is gone: they are reported, and can be ended."""

import json

import pytest

from tests.cluster.conftest import Command
from tests.cluster.server import Server


@pytest.fixture
def run(server: Server, quillflow: Command) -> str:
    """A run that trains; its id."""
    assert quillflow("submit", "--name", "first")[0] == 0
    (run,) = server.api.runs
    server.api.reach(run, "train")
    return run


@pytest.fixture
def gone(server: Server, run: str) -> str:
    """The same after its workflow went; the API says on that it is running."""
    del server.api.workflows[run]
    return run


def test_a_run_is_ended(server: Server, quillflow: Command, run: str) -> None:
    assert quillflow("runs", "cancel", run)[:2] == (0, f"Run {run} (first) is canceled\n")
    assert server.api.runs[run].state == "CANCELED"
    assert server.api.runs[run].storage_state != "ARCHIVED"
    code, _, err = quillflow("runs", "cancel", run)
    assert (code, err) == (1, f"error: run {run} has already ended: canceled\n")


@pytest.mark.usefixtures("kubectl")
def test_a_run_whose_workflow_is_gone_is_reported_by_ls_and_wait(quillflow: Command, gone: str) -> None:
    assert quillflow("runs", "ls")[1].splitlines()[1].endswith(f"{gone}  first  its workflow no longer exists")
    code, _, err = quillflow("runs", "wait", gone)
    assert code == 1
    assert err.startswith(
        f"error: run {gone}: its workflow no longer exists, so it would be running forever; quillflow runs ca"
    )


@pytest.mark.usefixtures("kubectl")
def test_a_kubeconfig_that_leads_to_another_cluster_reports_nothing(
    server: Server, quillflow: Command, gone: str
) -> None:
    """There is no such workflow there, nor anything else of the runs' namespace."""
    server.api.accounts.clear()
    assert quillflow("runs", "ls")[1].splitlines()[1].endswith(f"{gone}  first  train")


@pytest.mark.usefixtures("kubectl")
def test_a_run_that_ended_meanwhile_is_not_taken_for_gone(server: Server, quillflow: Command, gone: str) -> None:
    """Its workflow is cleared away when its time is up."""
    server.faults.after("GET .*/workflows", lambda: server.api.end(gone))
    assert quillflow("runs", "wait", gone)[0] == 0


@pytest.mark.parametrize("access", ["with kubectl", "without"])
def test_a_run_whose_workflow_is_gone_is_ended(
    quillflow: Command, request: pytest.FixtureRequest, gone: str, access: str
) -> None:
    """Kubeflow leaves it canceling for good."""
    if access == "with kubectl":
        request.getfixturevalue("kubectl")
    code, out, err = quillflow("runs", "cancel", gone)
    assert (code, out, err) == (0, f"Run {gone} (first) is canceled\n", "")
    assert quillflow("runs", "ls")[1].splitlines()[1].startswith("canceled ")
    assert json.loads(quillflow("runs", "ls", "--json")[1])["runs"][0]["doing"] == ""
    code, _, err = quillflow("runs", "wait", gone)
    assert (code, f"run {gone}: it is canceled; " in err) == (1, True)


@pytest.mark.usefixtures("kubectl")
def test_a_run_whose_workflow_is_there_is_not_archived_because_ending_it_failed(
    server: Server, quillflow: Command, run: str
) -> None:
    server.faults.add("500 workflow controller is away: not found", "POST .*:terminate")
    assert quillflow("runs", "cancel", run)[0] == 1
    assert server.api.runs[run].storage_state != "ARCHIVED"


@pytest.mark.usefixtures("run")
def test_a_kubernetes_that_can_t_be_asked_is_no_reason_to_fail(
    server: Server, quillflow: Command, kubectl: None
) -> None:
    assert kubectl is None
    server.faults.add("403 forbidden", "GET .*/workflows")
    code, out, _ = quillflow("runs", "ls")
    assert (code, out.splitlines()[1].endswith("  first  train")) == (0, True)
