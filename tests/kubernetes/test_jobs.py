"""The four Jobs on a real cluster, from a text to samples that are fetched; and what the cluster says when it waits."""

import json
from pathlib import Path

import pytest

from pipelines.cluster.pods import Pod
from pipelines.commands.main import main
from tests.kubernetes.conftest import ARTIFACTS
from tests.kubernetes.jobs import Jobs, name
from tests.kubernetes.kubectl import apply, kubectl, narrow_pod, refusal, until


@pytest.mark.usefixtures("model")
def test_the_jobs_make_samples_which_are_fetched(
    jobs: Jobs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs.start("sample").completed()
    assert main(["artifacts", "pull", f"{ARTIFACTS}/samples", str(tmp_path / "samples")]) == 0
    texts = [row for path in (tmp_path / "samples").glob("samples-*.jsonl") for row in path.read_text().splitlines()]
    assert len(texts) == 2 * 2  # temperatures
    capsys.readouterr()
    assert main(["artifacts", "ls", "--root", ARTIFACTS, "--json"]) == 0
    kinds = sorted(made["kind"] for made in json.loads(capsys.readouterr().out)["artifacts"])
    assert kinds == ["corpus", "dataset", "model", "samples"]


@pytest.mark.usefixtures("dataset")
def test_one_stage_is_done_again(jobs: Jobs, capsys: pytest.CaptureFixture[str]) -> None:
    jobs.start("vectorize", length=64, dataset="$(ARTIFACTS)/again/dataset").completed()
    assert main(["artifacts", "show", f"{ARTIFACTS}/again/dataset", "--json"]) == 0
    (made,) = json.loads(capsys.readouterr().out)["artifacts"]
    assert made["manifest"]["config"]["length"] == 64


@pytest.mark.usefixtures("dataset")
def test_what_is_wrong_fails_the_job_at_once_with_its_exit_code(jobs: Jobs) -> None:
    job = jobs.start("vectorize", length=0, dataset="$(ARTIFACTS)/none")
    assert job.ended()["exitCode"] == 2
    assert until("its failure", lambda: job.condition("Failed"))["reason"] == "PodFailurePolicy"
    (pod,) = job.pods()
    assert "length" in job.log(name(pod))


def test_the_scheduler_says_why_train_waits_for_a_node(gpu: str) -> None:
    if not gpu:
        pytest.skip("the cluster's nodes have the label that train asks for")
    assert gpu.startswith("Unschedulable: 0/")
    assert "node(s) didn't match Pod's node affinity/selector" in gpu


@pytest.mark.usefixtures("namespace")
def test_a_pod_that_is_refused_for_good_is_distinguished_from_one_over_the_quota() -> None:
    """The words that `runs wait` goes by are those of a real API server."""
    bare = refusal("run", "bare", "--image=none", "--restart=Never")
    apply(narrow_pod("allowed", ["true"]))
    kubectl("delete", "pod", "allowed", "--wait=false")
    greedy = refusal(
        "apply", "--filename=-", given=json.dumps(narrow_pod("greedy", ["true"], limits={"nvidia.com/gpu": "3"}))
    )
    assert 'violates PodSecurity "restricted:latest"' in bare
    assert "exceeded quota: quillflow, requested: requests.nvidia.com/gpu=3" in greedy
    reported = {why: Pod(stage="train", attempt=1, phase="Error", message=why) for why in (bare, greedy)}
    assert (reported[bare].is_refused, reported[greedy].is_refused) == (True, False)
