"""What each pod in deploy/ must hold to."""

import re

import pytest

from components.artifacts.version import VERSION
from components.command.parser import Parser
from components.steps import STAGES as COMMANDS
from pipelines.build.images import image
from tests.deploy.manifests import DIRECTORIES, JOBS, STAGES, Object, containers, of_kind, render

SECRET_NAMES = re.compile(r"(?i)key|secret|token|password|credential")


def pods(directory: str) -> list[Object]:
    """What Jobs and Deployments make pods of."""
    return [found["spec"]["template"] for found in render(directory) if "template" in found.get("spec", {})]


@pytest.mark.parametrize("directory", JOBS)
def test_there_is_a_job_for_each_stage(directory: str) -> None:
    assert set(of_kind(render(directory), "Job")) == set(STAGES)


@pytest.mark.parametrize("directory", DIRECTORIES)
def test_a_pod_fits_the_level_restricted(directory: str) -> None:
    for pod in pods(directory):
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not spec.keys() & {"hostNetwork", "hostPID", "hostIPC"}
        assert all(volume.keys() & {"emptyDir", "configMap", "secret"} for volume in spec["volumes"])
        for container in containers(spec):
            security = container["securityContext"]
            assert security["allowPrivilegeEscalation"] is False
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert not security.keys() & {"privileged", "runAsUser", "runAsNonRoot", "seccompProfile"}


@pytest.mark.parametrize("directory", DIRECTORIES)
def test_a_pod_writes_to_its_own_directories_only(directory: str) -> None:
    for pod in pods(directory):
        for container in containers(pod["spec"]):
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert "/tmp" in {mount["mountPath"] for mount in container["volumeMounts"]}
        assert all("sizeLimit" in volume["emptyDir"] for volume in pod["spec"]["volumes"] if "emptyDir" in volume)


@pytest.mark.parametrize("directory", DIRECTORIES)
def test_a_pod_says_what_it_needs_and_takes_at_most(directory: str) -> None:
    for pod in pods(directory):
        for container in containers(pod["spec"]):
            for amounts in (container["resources"]["requests"], container["resources"]["limits"]):
                assert {"cpu", "memory"} <= amounts.keys()


@pytest.mark.parametrize("directory", DIRECTORIES)
def test_an_image_is_this_version_s(directory: str) -> None:
    for pod in pods(directory):
        stage = pod["metadata"]["labels"]["app.kubernetes.io/component"]
        for container in containers(pod["spec"]):
            assert container["image"].endswith(image(stage, gpu=stage == "train", tag=VERSION))


@pytest.mark.parametrize("directory", DIRECTORIES)
def test_secrets_are_named_and_never_written(directory: str) -> None:
    assert not of_kind(render(directory), "Secret")
    for pod in pods(directory):
        for container in containers(pod["spec"]):
            for variable in container.get("env", []):
                if SECRET_NAMES.search(variable["name"]):
                    assert variable["valueFrom"].keys() == {"secretKeyRef"}
    for found in of_kind(render(directory), "ConfigMap").values():
        assert not [name for name in found["data"] if SECRET_NAMES.search(name)]


@pytest.mark.parametrize("directory", ["overlays/gke/jobs", "overlays/gke/tensorboard"])
def test_workload_identity_needs_no_secret(directory: str) -> None:
    assert "secret" not in str(render(directory)).lower()


@pytest.mark.parametrize("directory", DIRECTORIES)
def test_a_pod_has_its_own_account_and_no_token(directory: str) -> None:
    for pod in pods(directory):
        stage = pod["metadata"]["labels"]["app.kubernetes.io/component"]
        assert pod["spec"]["serviceAccountName"] == f"quillflow-{stage}"
        assert pod["spec"]["automountServiceAccountToken"] is False


@pytest.mark.parametrize("directory", JOBS)
def test_a_job_s_arguments_are_the_stage_s(directory: str) -> None:
    for stage, job in of_kind(render(directory), "Job").items():
        (container,) = containers(job["spec"]["template"]["spec"])
        assert container["command"] == ["python3", "-m", f"components.{stage}"]
        parser = Parser(prog=stage)
        COMMANDS[stage].add_arguments(parser, {})
        given = vars(parser.parse_args(container["args"]))
        COMMANDS[stage].settings.parse(
            {name: value for name, value in given.items() if name in COMMANDS[stage].settings.model_fields}, stage
        )


@pytest.mark.parametrize("directory", JOBS)
def test_a_job_tries_again_what_may_succeed_and_ends(directory: str) -> None:
    for job in of_kind(render(directory), "Job").values():
        spec = job["spec"]
        assert spec["template"]["spec"]["restartPolicy"] == "Never"
        assert spec["podReplacementPolicy"] == "Failed"
        assert spec["backoffLimit"] > 0
        assert spec["activeDeadlineSeconds"] > 0
        assert spec["ttlSecondsAfterFinished"] > 0
        rules = spec["podFailurePolicy"]["rules"]
        actions = {code: rule["action"] for rule in rules for code in rule.get("onExitCodes", {}).get("values", [])}
        assert actions == {2: "FailJob", 143: "Ignore"}
        # Disruption comes first: a pod that is evicted as it fails is not held to its exit code.
        assert rules[0]["action"] == "Ignore"
        assert rules[0]["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]


@pytest.mark.parametrize("directory", JOBS)
def test_train_has_a_gpu_shared_memory_and_time_to_save(directory: str) -> None:
    spec = of_kind(render(directory), "Job")["train"]["spec"]["template"]["spec"]
    (container,) = containers(spec)
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"
    (mount,) = [mount["name"] for mount in container["volumeMounts"] if mount["mountPath"] == "/dev/shm"]
    (volume,) = [volume for volume in spec["volumes"] if volume["name"] == mount]
    assert volume["emptyDir"]["medium"] == "Memory"
    assert spec["terminationGracePeriodSeconds"] >= 60
