"""Training on a real cluster: killed with -9, its pod deleted, its Job deleted, preempted, out of memory."""

import json
import re
from collections.abc import Iterator

import pytest

from components.artifacts import storage
from tests.kubernetes.conftest import ARTIFACTS
from tests.kubernetes.jobs import Job, Jobs, in_container, in_pod
from tests.kubernetes.kubectl import Object, apply, kubectl, narrow_pod, until

PLACE = f"{ARTIFACTS}/disturbed"
AT = {"checkpoints": "$(ARTIFACTS)/disturbed/checkpoints", "model": "$(ARTIFACTS)/disturbed/model"}
KILL = 'for p in /proc/[0-9]*; do grep -q "components[.]train" $p/cmdline && kill -9 ${p#/proc/}; done; true'
"""Kills the stage from inside, where the pod shares its processes: else it is the first, which -9 does not reach."""


def weights(model: str) -> str:
    found = storage.read_file(f"{model}/config.json")
    assert found is not None
    return str(json.loads(found[0])["weights_sha256"])


def saved() -> int:
    """The train step of the newest checkpoint; 0 where there is none."""
    place = storage.place_of(f"{PLACE}/checkpoints")
    found = (re.search(r"/(\d+)-[^/]+/manifest.json$", listed.key) for listed in place.store.list(place.key))
    return max((int(match[1]) for match in found if match), default=0)


def after_another_checkpoint(job: Job) -> int:
    """The train step of a checkpoint that is newer than the newest one now."""
    before = saved()
    return until(f"a checkpoint after {before}", lambda: max(saved() - before, 0), reported=job.reported) + before


@pytest.fixture
def usurper() -> Iterator[Object]:
    """A pod that takes the GPU from whoever has it, until it is deleted."""
    about = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "quillflow-tests"}}
    apply({**about, "value": 1000})
    yield narrow_pod("usurper", ["sleep", "3600"], limits={"nvidia.com/gpu": "1"}, priorityClassName="quillflow-tests")
    kubectl("delete", "pod", "usurper", "--ignore-not-found", "--wait")
    kubectl("delete", "priorityclass", "quillflow-tests")


@pytest.mark.usefixtures("gpu")
def test_killed_deleted_and_preempted_it_ends_with_the_undisturbed_run_s_weights(
    jobs: Jobs, model: str, usurper: Object
) -> None:
    job = jobs.start("train", in_pod("shareProcessNamespace", True), **AT)
    first = job.running()
    after_another_checkpoint(job)
    kubectl("exec", first, "--container=stage", "--", "sh", "-c", KILL)
    assert job.ended(first)["exitCode"] == 137

    second = job.running(but=first)
    after_another_checkpoint(job)
    kubectl("delete", "pod", second, "--grace-period=0", "--force")
    job.running(but=second)
    after_another_checkpoint(job)

    job = jobs.start("train", **AT)  # which deletes the Job that is there, and its pod may save
    before = saved()
    preempted = job.running()
    assert f"resumed at train step {before:,}" in until("training", lambda: resumed(job, preempted))
    after_another_checkpoint(job)
    with job.kept(preempted):
        apply(usurper)
        assert job.ended(preempted)["exitCode"] == 143
    kubectl("wait", "--for=condition=Ready", "pod/usurper", "--timeout=60s")
    kubectl("delete", "pod", "usurper", "--wait")
    job.completed()
    assert job.failures() == 0, "a pod that was preempted counts as failed"
    assert weights(f"{PLACE}/model") == weights(model)


def resumed(job: Job, pod: str) -> str:
    reported = job.log(pod)
    return reported if "resumed at" in reported else ""


@pytest.mark.usefixtures("dataset", "gpu")
def test_out_of_memory_it_ends_as_the_docs_say(jobs: Jobs) -> None:
    limit = in_container("resources/limits/memory", "150Mi"), in_container("resources/requests/memory", "100Mi")
    job = jobs.start("train", *limit, checkpoints="$(ARTIFACTS)/small/checkpoints")
    ended = job.ended()
    assert (ended["exitCode"], ended["reason"]) == (137, "OOMKilled")
    until("another pod", lambda: len(job.pods()) > 1)
    job.delete()
