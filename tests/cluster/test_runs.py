"""`quillflow runs`: listed, awaited to their end, and their logs read from beside the artifacts."""

import json

import kfp_server_api as kfp
import pytest

from components.artifacts import storage
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
    assert [line.split()[-1] for line in lines[1:]] == ["fourth", "third", "second", "first"]
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
    task = kfp.V2beta1PipelineTaskDetail(display_name="train", state="RUNNING")
    server.api.runs[run].state = "RUNNING"
    server.api.runs[run].run_details = kfp.V2beta1RunDetails(task_details=[task])
    server.faults.after(f"GET .*/runs/{run}", lambda: server.api.end(run))
    code, out, err = quillflow("runs", "wait", run)
    assert (code, out) == (0, f"Run {run} (first) succeeded in 1:01:00\n")
    assert f"Run {run} is running: train" in err


def test_wait_exits_1_with_the_failed_task_and_its_message(server: Server, quillflow: Command, run: str) -> None:
    server.api.end(run, "FAILED", "sample-shard", "main: Error\n(exit code 137)")
    code, out, err = quillflow("runs", "wait", run)
    assert (code, out) == (1, "")
    assert err == (
        f"error: run {run}: sample-shard failed: main: Error (exit code 137); quillflow runs logs {run} shows what was "
        "written\n"
    )


def test_wait_tells_the_stages_own_error_where_its_log_can_be_had(
    server: Server, quillflow: Command, in_bucket: str
) -> None:
    quillflow("submit")
    (run,) = server.api.runs
    lines = [{"quillflow": "train", "level": "info", "message": "epoch 1"}]
    lines += [{"quillflow": "train", "level": "error", "message": "error: the text is too short", "exit_code": 1}]
    text = "".join(f"{json.dumps(line)}\n" for line in lines) + "I0102 the launcher ends\n"
    storage.write_file(f"{in_bucket}/text-generation/{run}/train/0b9d6f6c/executor-logs", text.encode())
    server.api.end(run, "FAILED", "train", "main: Error (exit code 1)")
    assert f"run {run}: train failed: the text is too short; quillflow runs" in quillflow("runs", "wait", run)[2]


@pytest.mark.parametrize("state", ["FAILED", "CANCELED"])
def test_wait_exits_1_for_every_other_end(server: Server, quillflow: Command, run: str, state: str) -> None:
    server.api.end(run, state)
    code, _, err = quillflow("runs", "wait", run)
    assert (code, f"run {run}: it is {state.lower()}; " in err) == (1, True)


def test_wait_outlasts_a_server_that_is_away_for_a_while(server: Server, quillflow: Command, run: str) -> None:
    server.faults.add("503 upgrading", "GET .*/runs/", times=12)
    server.faults.after(f"GET .*/runs/{run}", lambda: server.api.end(run))
    code, _, err = quillflow("runs", "wait", run)
    assert code == 0
    assert "with 503: upgrading; try again in a while (still waiting)" in err


def test_wait_gives_up_on_a_server_that_stays_away(
    server: Server, quillflow: Command, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "PATIENCE_SECONDS", 0.1)
    server.faults.add("503", "GET .*/runs/", times=10_000)
    assert quillflow("runs", "wait", run)[0] == 1


def test_wait_does_not_wait_longer_than_it_is_told(quillflow: Command, run: str) -> None:
    code, _, err = quillflow("runs", "wait", run, "--timeout", "0.05")
    assert (code, f"run {run} has not ended after 0:00; it goes on" in err) == (1, True)


def test_a_run_that_is_not_there_is_named(quillflow: Command, run: str) -> None:
    assert run
    code, _, err = quillflow("runs", "wait", "no-such-run")
    assert (code, "run no-such-run is not there: ResourceNotFoundError" in err) == (1, True)


@pytest.mark.usefixtures("in_bucket")
def test_logs_are_read_from_beside_the_artifacts_and_made_readable(
    server: Server, quillflow: Command, in_bucket: str
) -> None:
    quillflow("submit")
    (run,) = server.api.runs
    place = f"{in_bucket}/text-generation/{run}"
    line = json.dumps({"quillflow": "train", "level": "info", "message": "epoch 1: loss 2.0000"})
    storage.write_file(f"{place}/train/0b9d6f6c/executor-logs", f"pulling\n{line}\n".encode())
    storage.write_file(f"{place}/ingest/1c9d6f6c/executor-logs", b"read\n")
    code, out, _ = quillflow("runs", "logs", run)
    assert code == 0
    assert "pulling\ntrain      epoch 1: loss 2.0000\n" in out
    assert out.count("== ") == 2
    code, out, _ = quillflow("runs", "logs", run, "--stage", "ingest", "--json")
    assert json.loads(out) == {"logs": [{"task": "ingest", "lines": ["read"]}]}


@pytest.mark.usefixtures("in_bucket")
def test_where_no_log_is_stored_yet_the_way_to_the_pods_is_told(server: Server, quillflow: Command) -> None:
    quillflow("submit")
    (run,) = server.api.runs
    task = kfp.V2beta1PipelineTaskDetail(display_name="train", state="RUNNING", pod_name="text-generation-x7-impl")
    server.api.runs[run].run_details = kfp.V2beta1RunDetails(task_details=[task])
    code, out, err = quillflow("runs", "logs", run)
    assert (code, out) == (1, "")
    assert "kubectl logs -n kubeflow text-generation-x7-impl -c main" in err


def test_logs_need_to_know_where_artifacts_are(quillflow: Command, run: str) -> None:
    code, _, err = quillflow("runs", "logs", run)
    assert (code, "names no pipeline_root" in err) == (2, True)
