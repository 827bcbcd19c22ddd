"""`quillflow runs logs`: what stages wrote, found where Kubeflow stores it, without Kubeflow's own lines."""

import json

import pytest

from components.artifacts import storage
from tests.cluster.conftest import Command
from tests.cluster.server import Server
from tests.cluster.stored import store_log

UUID = "1c9d6f6c"


@pytest.fixture
def run(server: Server, quillflow: Command, in_bucket: str) -> str:
    """A run that was submitted, with artifacts in a bucket; its id."""
    assert in_bucket
    assert quillflow("submit")[0] == 0
    return next(iter(server.api.runs))


@pytest.fixture
def tasks(in_bucket: str, run: str) -> str:
    """Where the run's tasks keep what they make."""
    return f"{in_bucket}/text-generation/{run}"


def test_a_stage_s_own_lines_are_shown_and_made_readable(quillflow: Command, tasks: str, run: str) -> None:
    store_log(f"{tasks}/train/{UUID}", "epoch 1: loss 2.0000", "held-out loss 1.5")
    store_log(f"{tasks}/ingest/{UUID}", "read")
    code, out, _ = quillflow("runs", "logs", run)
    assert code == 0
    assert "\ntrain      epoch 1: loss 2.0000\ntrain      held-out loss 1.5\n" in out
    assert out.count("== ") == 2
    assert len(out.splitlines()) == 2 + 3
    code, out, _ = quillflow("runs", "logs", run, "--stage", "ingest", "--json")
    assert json.loads(out) == {"logs": [{"task": "ingest", "attempt": 1, "lines": ["ingest     read"]}]}


def test_lines_that_a_stage_wrote_as_json_are_shown_alike(quillflow: Command, tasks: str, run: str) -> None:
    store_log(f"{tasks}/train/{UUID}", "epoch 1", "epoch 2", as_json=True)
    assert quillflow("runs", "logs", run)[1].splitlines()[1:] == ["train      epoch 1", "train      epoch 2"]


def test_what_a_process_wrote_among_its_stage_s_lines_stays(quillflow: Command, tasks: str, run: str) -> None:
    """A traceback comes before the stage's last line; the shell's message about a killed process after it."""
    store_log(f"{tasks}/train/{UUID}", "epoch 1", "Traceback (most recent call last):", "epoch 2", plain=(1,))
    assert "epoch 1\nTraceback (most recent call last):\ntrain      epoch 2\n" in quillflow("runs", "logs", run)[1]
    store_log(f"{tasks}/train/{UUID}", "epoch 1", "Killed", plain=(1,))
    assert quillflow("runs", "logs", run)[1].splitlines()[1:] == ["train      epoch 1", "Killed"]


def test_the_last_attempt_is_shown_unless_another_or_all_are_asked_for(
    quillflow: Command, tasks: str, run: str
) -> None:
    for attempt in range(3):
        store_log(f"{tasks}/train/{UUID}", f"attempt {attempt} here", attempt=attempt)
    out = quillflow("runs", "logs", run)[1]
    assert out.startswith("== train, attempt 3, stored ")
    assert out.endswith("\ntrain      attempt 2 here\n")
    assert quillflow("runs", "logs", run, "--attempt", "1")[1].endswith("\ntrain      attempt 0 here\n")
    whole = quillflow("runs", "logs", run, "--all")[1]
    assert whole.count("== train") == 3
    assert len(whole.splitlines()) > 3 * 45
    one = quillflow("runs", "logs", run, "--all", "--attempt", "2")[1]
    assert one.count("== train") == 1
    assert len(one.splitlines()) > 45
    code, _, err = quillflow("runs", "logs", run, "--attempt", "7")
    assert (code, "no log of attempt 7 is stored" in err, err.endswith("there is 1, 2, 3\n")) == (1, True, True)
    assert quillflow("runs", "logs", run, "--attempt", "0")[0] == 2


def test_each_shard_has_a_last_attempt_of_its_own(quillflow: Command, tasks: str, run: str) -> None:
    store_log(f"{tasks}/sample-shard/aaaa", "first of a")
    store_log(f"{tasks}/sample-shard/aaaa", "second of a", attempt=1)
    store_log(f"{tasks}/sample-shard/bbbb", "first of b")
    out = quillflow("runs", "logs", run, "--stage", "sample")[1]
    assert "second of a" in out
    assert "first of b" in out
    assert "first of a" not in out


def test_logs_that_older_releases_of_kubeflow_stored_are_found(quillflow: Command, tasks: str, run: str) -> None:
    storage.write_file(f"{tasks}/ingest/{UUID}/executor-logs", b"read\n")
    assert quillflow("runs", "logs", run)[1].splitlines()[1] == "read"


def test_wait_shows_the_stage_s_own_error(server: Server, quillflow: Command, tasks: str, run: str) -> None:
    store_log(f"{tasks}/ingest/{UUID}", "reading", "error: gs://lab/tale.txt: no such file; see to its name")
    server.api.end(run, "FAILED", "ingest")
    code, _, err = quillflow("runs", "wait", run)
    assert (code, f"run {run}: ingest failed: gs://lab/tale.txt: no such file; see to its name; " in err) == (1, True)


def test_wait_shows_what_to_raise_where_a_stage_was_killed(
    server: Server, quillflow: Command, tasks: str, run: str
) -> None:
    """After an out-of-memory kill the shell's word is all that the log ends with."""
    store_log(f"{tasks}/train/{UUID}", "epoch 1", "Killed", plain=(1,))
    server.api.end(run, "FAILED", "train")
    err = quillflow("runs", "wait", run)[2]
    assert (
        "train failed: killed from outside, usually because it ran out of memory; "
        "raise train.memory_limit in the environment" in err
    )


def test_where_no_log_is_stored_yet_a_command_for_the_pods_is_shown(
    server: Server, quillflow: Command, run: str
) -> None:
    server.api.reach(run, "train")
    code, out, err = quillflow("runs", "logs", run)
    assert (code, out) == (1, "")
    selector = f"pipeline/runid={run},app.kubernetes.io/component=train"
    assert err.endswith(f": kubectl logs -n kubeflow -l {selector} -c main --tail=-1\n")
    assert (
        f"runid={run},app.kubernetes.io/component=ingest -c" in quillflow("runs", "logs", run, "--stage", "ingest")[2]
    )


def test_a_stage_that_there_is_not_is_named(quillflow: Command, run: str) -> None:
    code, _, err = quillflow("runs", "logs", run, "--stage", "trian")
    assert (code, "did you mean train?" in err) == (2, True)


def test_logs_need_to_know_where_artifacts_are(server: Server, quillflow: Command) -> None:
    quillflow("submit")
    (run,) = server.api.runs
    code, _, err = quillflow("runs", "logs", run)
    assert (code, "names no pipeline_root" in err) == (2, True)
