"""`quillflow runs show`: each stage's state, times, attempts and last line, and how far training is; `--watch`."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from components.artifacts import storage
from components.artifacts.version import VERSION
from tests.cluster.conftest import Command
from tests.cluster.server import Server
from tests.cluster.stored import store_log

UUID = "1c9d6f6c"


@pytest.fixture
def run(server: Server, quillflow: Command, in_bucket: str) -> str:
    """A run that trains, with two stages done in a minute each; its id."""
    assert in_bucket
    assert quillflow("submit", "--name", "first")[0] == 0
    (run,) = server.api.runs
    server.api.reach(run, "train", before=("ingest", "vectorize"))
    return run


@pytest.fixture
def tasks(in_bucket: str, run: str) -> str:
    """Where the run's tasks keep what they make."""
    return f"{in_bucket}/text-generation/{run}"


def save_progress(checkpoints: str, **changes: Any) -> None:
    saved = datetime.now(UTC) - timedelta(seconds=changes.pop("ago", 0))
    live = {
        "train_step": 1200,
        "train_steps": 4000,
        "train_loss_nats": 1.5,
        "validation_loss_nats": None,
        "tokens_per_second": 12345.0,
        "seconds": 300.0,
        "seconds_left": 700.0,
        "resumed_at": [],
        "saved_at": saved.isoformat(timespec="seconds"),
    }
    storage.write_file(f"{checkpoints}/progress.json", json.dumps(live | changes).encode())


def shown(quillflow: Command, run: str) -> dict[str, Any]:
    code, out, _ = quillflow("runs", "show", run, "--json")
    assert code == 0
    return dict(json.loads(out))


def test_stages_are_shown_with_state_times_and_the_last_line_that_each_logged(
    quillflow: Command, tasks: str, run: str
) -> None:
    store_log(f"{tasks}/ingest/{UUID}", "reading", "2,048 characters", as_json=True)
    store_log(f"{tasks}/vectorize/{UUID}", "27 tokens")
    code, out, _ = quillflow("runs", "show", run)
    first, head, *stages = out.splitlines()
    assert code == 0
    assert first.startswith(f"Run {run} (first) is running, ")
    assert first.endswith(": train")
    assert head.split() == ["stage", "state", "started", "(UTC)", "took", "attempt", "last", "line"]
    assert [line.split()[:2] for line in stages] == [
        ["ingest", "succeeded"],
        ["vectorize", "succeeded"],
        ["train", "running"],
    ]
    assert stages[0].endswith("      1:00        1  2,048 characters")
    assert stages[1].endswith("      1:00        1  27 tokens")


def test_training_is_shown_as_of_its_newest_checkpoint(quillflow: Command, tasks: str, run: str) -> None:
    save_progress(f"{tasks}/train/{UUID}/checkpoints", ago=41)
    training = shown(quillflow, run)["training"]
    assert (training["train_step"], training["seconds_left"]) == (1200, 700.0)
    assert 41 <= training["age"] < 60
    last = quillflow("runs", "show", run)[1].splitlines()[-1]
    assert last.startswith(
        "training   step 1,200 of 4,000, loss 1.5000 nats, 12,345 tokens/s, 11:40 left; as of the newest"
    )
    save_progress(f"{tasks}/train/{UUID}/checkpoints", train_steps=0, seconds_left=None, validation_loss_nats=1.75)
    last = quillflow("runs", "show", run)[1].splitlines()[-1]
    assert last.startswith("training   step 1,200, loss 1.5000 nats, held-out 1.7500 nats, 12,345 tokens/s; as of the")


@pytest.mark.usefixtures("kubectl")
def test_a_stage_that_runs_is_shown_with_the_last_line_of_its_newest_pod(
    server: Server, quillflow: Command, run: str
) -> None:
    """Among the lines of Kubeflow's launcher, and those of a traceback or another program."""
    line = {"quillflow": VERSION, "severity": "DEBUG", "stage": "train", "message": "step 7/9  loss 1.2"}
    lines = ["I0102 03:04:05 launcher", json.dumps(line), "2026 gpu_device.cc:2020] Created device"]
    server.api.pod_logs[run, "train"] = {"train-1": ["train      epoch 1"], "train-2": lines}
    server.api.reach(run, "train", attempt=1)
    server.api.workflows[run].add_pod("train(0).executor(0)", "Failed")
    server.api.workflows[run].add_pod("train(0).executor(1)", "Running")
    (stage,) = shown(quillflow, run)["stages"]
    assert (stage["last_line"], stage["attempt"], stage["state"]) == ("step 7/9 loss 1.2", 2, "RUNNING")


def test_a_run_that_failed_shows_where_and_how_far_it_came(
    server: Server, quillflow: Command, tasks: str, run: str
) -> None:
    store_log(f"{tasks}/train/{UUID}", "epoch 1", "error: gs://lab: no access")
    save_progress(f"{tasks}/train/{UUID}/checkpoints")
    server.api.end(run, "FAILED", "train")
    view = shown(quillflow, run)
    assert (view["state"], view["doing"], view["training"]["train_step"]) == ("FAILED", "", 1200)
    assert view["stages"][-1]["last_line"] == "error: gs://lab: no access"
    assert view["stages"][-1]["seconds"] == 59 * 60


def test_training_that_is_done_is_not_shown_as_one_that_runs(
    server: Server, quillflow: Command, tasks: str, run: str
) -> None:
    save_progress(f"{tasks}/train/{UUID}/checkpoints")
    server.api.reach(run, "sample-shard", before=("ingest", "vectorize", "train"))
    assert shown(quillflow, run)["training"] is None


def test_without_bucket_and_kubernetes_the_states_are_shown(server: Server, quillflow: Command) -> None:
    assert quillflow("submit")[0] == 0
    (run,) = server.api.runs
    assert shown(quillflow, run)["stages"] == []
    server.api.reach(run, "ingest")
    (stage,) = shown(quillflow, run)["stages"]
    assert (stage["stage"], stage["state"], stage["last_line"]) == ("ingest", "RUNNING", "")


def test_watch_shows_the_run_until_it_has_ended_and_exits_as_wait_does(
    server: Server, quillflow: Command, run: str
) -> None:
    server.faults.after(f"GET .*/runs/{run}", lambda: server.api.reach(run, "sample-shard"))
    server.faults.after(f"GET .*/runs/{run}", lambda: server.faults.after("GET .*/runs/", lambda: server.api.end(run)))
    code, out, _ = quillflow("runs", "show", run, "--watch")
    assert (code, out.count("is succeeded, 1:01:00\n")) == (0, 1)
    assert out.index(": train\n") < out.index(": sample\n") < out.index("is succeeded")
    server.api.end(run, "FAILED", "sample-shard")
    code, out, err = quillflow("runs", "show", run, "--watch")
    assert (code, "is failed, 1:01:00" in out, f"run {run}: sample failed" in err) == (1, True, True)
    code, out, _ = quillflow("runs", "show", run, "--watch", "--json")
    assert (code, json.loads(out)["state"]) == (1, "FAILED")


def test_watch_continues_when_the_cluster_is_away_for_a_while(server: Server, quillflow: Command, run: str) -> None:
    server.faults.add("503 upgrading", "GET .*/runs/", times=7)
    server.faults.after(f"GET .*/runs/{run}", lambda: server.api.end(run))
    code, out, err = quillflow("runs", "show", run, "--watch")
    assert (code, "is succeeded" in out, "upgrading; try again later (still waiting)" in err) == (0, True, True)
