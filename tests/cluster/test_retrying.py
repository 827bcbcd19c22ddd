"""`quillflow runs retry`: what succeeded is kept; a run that can't be retried is named with what to do instead."""

import json

import pytest

from tests.cluster.conftest import Command
from tests.cluster.server import Server


@pytest.fixture
def run(server: Server, quillflow: Command) -> str:
    """A run that trains, with two stages done; its id."""
    assert quillflow("submit", "--name", "first")[0] == 0
    (run,) = server.api.runs
    server.api.reach(run, "train", before=("ingest", "vectorize"))
    for path, phase in (("ingest(0)", "Succeeded"), ("vectorize(0)", "Succeeded"), ("train(0)", "Failed")):
        server.api.workflows[run].add_pod(f"{path}.executor(0)", phase)
    return run


def test_a_run_that_failed_is_retried_and_keeps_what_succeeded(server: Server, quillflow: Command, run: str) -> None:
    server.api.end(run, "FAILED", "train")
    assert quillflow("runs", "retry", run)[:2] == (0, f"Run {run} (first) is retried, keeping ingest, vectorize\n")
    assert server.api.runs[run].state == "PENDING"
    assert [node["displayName"] for node in server.api.workflows[run].nodes] == ["executor(0)"] * 2
    assert server.changes()[-1].endswith(f"/runs/{run}:retry")
    server.api.end(run)
    assert quillflow("runs", "wait", run)[0] == 0


def test_a_run_that_was_cancelled_is_retried_too(quillflow: Command, run: str) -> None:
    assert quillflow("runs", "cancel", run)[0] == 0
    code, out, _ = quillflow("runs", "retry", run, "--json")
    assert (code, json.loads(out)["state"], json.loads(out)["kept"]) == (0, "PENDING", ["ingest", "vectorize"])


def test_a_run_whose_workflow_was_cleared_away_after_its_end_is_retried(
    server: Server, quillflow: Command, run: str
) -> None:
    """Kubeflow makes the Workflow again from what it kept."""
    server.api.end(run, "FAILED", "ingest")
    server.api.runs[run].run_details = None
    del server.api.workflows[run]
    assert quillflow("runs", "retry", run)[:2] == (0, f"Run {run} (first) is retried, from its beginning\n")


@pytest.mark.parametrize(
    ("state", "advice"),
    [
        ("", "is running; quillflow runs cancel"),
        ("SUCCEEDED", "has succeeded; quillflow rerun does one of its stages again"),
    ],
)
def test_other_runs_are_left_alone(server: Server, quillflow: Command, run: str, state: str, advice: str) -> None:
    if state:
        server.api.end(run, state)
    before = server.changes()
    code, _, err = quillflow("runs", "retry", run)
    assert (code, f"error: run {run} {advice}" in err) == (1, True)
    assert server.changes() == before


def test_a_run_that_was_ended_without_its_workflow_can_t_be_retried(
    server: Server, quillflow: Command, run: str
) -> None:
    """Kubeflow refuses: what it kept of the run says that it runs."""
    del server.api.workflows[run]
    assert quillflow("runs", "cancel", run)[0] == 0
    code, _, err = quillflow("runs", "retry", run)
    assert (code, f"so Kubeflow can't retry it; quillflow rerun train --from {run} resumes its tr" in err) == (1, True)


def test_what_kubeflow_says_against_it_is_shown(server: Server, quillflow: Command, run: str) -> None:
    """A node that is still there, for example, while its pod ends."""
    server.api.end(run, "FAILED", "train")
    server.api.workflows[run].add_pod("train(0).executor(1)", "Running")
    code, _, err = quillflow("runs", "retry", run)
    assert (code, "executor(1) in Running phase" in err, err.count("\n")) == (1, True, 1)
