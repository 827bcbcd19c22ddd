"""`quillflow runs`: listed, and awaited to their end."""

import json

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
