"""`quillflow runs`: listed, and awaited to their end."""

import json

import kfp_server_api as kfp
import pytest

from pipelines.cluster import runs
from tests.cluster.conftest import Command
from tests.cluster.server import Server


@pytest.fixture
def run(server: Server, quillflow: Command) -> str:
    """A run that was submitted; its id."""
    assert quillflow("submit", "--name", "first")[0] == 0
    return next(iter(server.api.runs))


def test_runs_are_listed_newest_first_page_by_page(server: Server, quillflow: Command, run: str) -> None:
    for name in ("second", "third", "fourth"):
        quillflow("submit", "--name", name)
    server.api.end(run)
    code, out, _ = quillflow("runs", "ls")
    lines = out.splitlines()
    assert code == 0
    assert [line.split()[5] for line in lines[1:]] == ["fourth", "third", "second", "first"]
    assert lines[-1].startswith("succeeded  2026-01-02 03:04:")
    assert f"1:01:00  {run}  first" in lines[-1]
    assert len(quillflow("runs", "ls", "--limit", "3")[1].splitlines()) == 4
    listed = json.loads(quillflow("runs", "ls", "--json")[1])["runs"]
    assert [one["state"] for one in listed] == ["PENDING", "PENDING", "PENDING", "SUCCEEDED"]
    assert listed[-1]["seconds"] == 3660


def test_listing_makes_nothing_on_the_cluster(server: Server, quillflow: Command) -> None:
    assert quillflow("runs", "ls")[:2] == (0, "no runs\n")
    assert not server.changes()


def test_wait_exits_0_when_the_run_has_succeeded(server: Server, quillflow: Command, run: str) -> None:
    server.api.reach(run, "train")
    server.faults.after(f"GET .*/runs/{run}", lambda: server.api.end(run))
    code, out, err = quillflow("runs", "wait", run)
    assert (code, out) == (0, f"Run {run} (first) succeeded in 1:01:00\n")
    assert f"Run {run} is running: train" in err


def test_wait_exits_1_with_the_stage_that_failed(server: Server, quillflow: Command, run: str) -> None:
    server.api.end(run, "FAILED", "sample-shard")
    code, out, err = quillflow("runs", "wait", run)
    assert (code, out) == (1, "")
    assert err == f"error: run {run}: sample failed; quillflow runs logs {run} shows what was written\n"


def test_a_stage_whose_second_attempt_succeeded_did_not_fail(server: Server, quillflow: Command, run: str) -> None:
    server.api.reach(run, "train", before=("ingest",))
    server.api.end(run, "FAILED", "train")
    first = kfp.V2beta1PipelineTaskDetail(display_name="ingest(0)", state="FAILED")
    server.api.runs[run].run_details.task_details.insert(0, first)
    code, _, err = quillflow("runs", "wait", run)
    assert (code, f"run {run}: train failed; " in err) == (1, True)


def test_a_workflow_s_name_that_begins_as_a_stage_s_is_none(server: Server, quillflow: Command, run: str) -> None:
    """The Workflow of train alone is train-mg7fp, its node train-mg7fp(0); between two stages no other task runs."""
    server.api.workflows[run].name = "train-mg7fp"
    server.api.reach(run, "")
    server.faults.after(f"GET .*/runs/{run}", lambda: server.api.end(run, "FAILED", "ingest"))
    code, _, err = quillflow("runs", "wait", run)
    assert (code, f"Run {run} is running: no stage yet\n" in err) == (1, True)
    assert f"run {run}: ingest failed; " in err


@pytest.mark.parametrize("state", ["FAILED", "CANCELED"])
def test_wait_exits_1_for_every_other_end(server: Server, quillflow: Command, run: str, state: str) -> None:
    server.api.end(run, state)
    code, _, err = quillflow("runs", "wait", run)
    assert (code, f"run {run}: it is {state.lower()}; " in err) == (1, True)


@pytest.mark.usefixtures("kubectl")
def test_wait_says_which_attempt_runs_and_what_its_pod_waits_for(server: Server, quillflow: Command, run: str) -> None:
    """The scheduler's own sentence; attempts differ by the numbers in their paths."""
    why = "Unschedulable: 0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector."
    server.api.reach(run, "train")
    server.api.workflows[run].add_pod("train(0).executor(0)", "Failed", "Error (exit code 1)")
    server.api.workflows[run].add_pod("train(0).executor(1)", "Pending", why)
    assert quillflow("runs", "ls")[1].splitlines()[1].endswith(f"  first  train, attempt 2, waits: {why[:-1]}")
    server.faults.after(f"GET .*/runs/{run}", lambda: server.faults.after("GET .*/runs/", lambda: server.api.end(run)))
    code, _, err = quillflow("runs", "wait", run)
    assert (code, f"Run {run} is running: train, attempt 2, waits: {why[:-1]}\n" in err) == (0, True)


def test_without_kubernetes_wait_shows_the_attempt_and_the_command_that_shows_more(
    server: Server, quillflow: Command, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "POLLS_UNTIL_HINT", 1)
    server.api.reach(run, "train", attempt=2)
    code, _, err = quillflow("runs", "wait", run, "--timeout", "1")
    assert (code, f"Run {run} is running: train, attempt 3\n" in err) == (1, True)
    assert err.count(f": kubectl describe pods -n kubeflow -l pipeline/runid={run}\n") == 1


@pytest.mark.usefixtures("kubectl")
def test_wait_does_not_sit_out_the_retries_of_a_pod_that_is_refused(
    server: Server, quillflow: Command, run: str
) -> None:
    why = 'pods "x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true'
    server.api.reach(run, "sample-shard")
    server.api.workflows[run].add_pod("for-loop-1(0).sample-shard(0).executor(0)", "Error", why)
    code, _, err = quillflow("runs", "wait", run)
    assert code == 1
    assert err.endswith(
        f"error: run {run}: the cluster rejects sample's pod, and no retry will help: {why}; "
        f"quillflow runs cancel {run} ends it\n"
    )


@pytest.mark.usefixtures("kubectl")
def test_a_pod_over_a_quota_is_waited_for(server: Server, quillflow: Command, run: str) -> None:
    why = 'pods "x" is forbidden: exceeded quota: quillflow, requested: requests.cpu=4, used: requests.cpu=30'
    server.api.reach(run, "train")
    server.api.workflows[run].add_pod("train(0).executor(0)", "Pending", why)
    code, _, err = quillflow("runs", "wait", run, "--timeout", "0.05")
    assert (code, f"train, waits: {why}\n" in err, "has not ended" in err) == (1, True, True)


@pytest.mark.usefixtures("kubectl")
@pytest.mark.parametrize(
    ("stage", "message", "reported"),
    [
        (
            "train",
            "OOMKilled (exit code 1)",
            "train failed: out of memory (OOMKilled); raise train.memory_limit in the",
        ),
        ("report", "OOMKilled (exit code 1)", "report failed: out of memory (OOMKilled); raise ingest.memory_limit in"),
        ("ingest", "Error (exit code 1)", "ingest failed: Error (exit code 1); quillflow runs logs"),
    ],
)
def test_wait_shows_how_the_pod_ended(
    server: Server, quillflow: Command, run: str, stage: str, message: str, reported: str
) -> None:
    server.api.workflows[run].add_pod(f"{stage}(0).executor(0)", "Failed", message)
    server.api.end(run, "FAILED", stage)
    assert reported in quillflow("runs", "wait", run)[2]


def test_wait_outlasts_a_server_that_is_away_for_a_while(server: Server, quillflow: Command, run: str) -> None:
    server.faults.add("503 upgrading", "GET .*/runs/", times=12)
    server.faults.after(f"GET .*/runs/{run}", lambda: server.api.end(run))
    code, _, err = quillflow("runs", "wait", run)
    assert code == 0
    assert "with 503: upgrading; try again later (still waiting)" in err


def test_wait_gives_up_on_a_server_that_stays_away(
    server: Server, quillflow: Command, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "PATIENCE_SECONDS", 0.1)
    server.faults.add("503", "GET .*/runs/", times=10_000)
    assert quillflow("runs", "wait", run)[0] == 1


def test_wait_does_not_wait_longer_than_asked(quillflow: Command, run: str) -> None:
    code, _, err = quillflow("runs", "wait", run, "--timeout", "0.05")
    assert (code, f"run {run} has not ended after 0:00; it continues" in err) == (1, True)


def test_a_run_that_is_not_there_is_named(quillflow: Command, run: str) -> None:
    assert run
    code, _, err = quillflow("runs", "wait", "no-such-run")
    assert (code, "run no-such-run does not exist: ResourceNotFoundError" in err) == (1, True)
