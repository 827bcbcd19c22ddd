"""The compiled pipelines: the whole one is golden for each environment, and every one asks for what it needs.

After a change, QUILLFLOW_GOLDEN=write rewrites the golden files.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from kfp import components

from components.artifacts.version import VERSION
from components.command.log import FORMAT_VARIABLE, RUN_VARIABLE
from components.steps import STEPS
from components.train.attempts import RETRIES_VARIABLE
from pipelines.build.compile import PIPELINES, compile_all, compile_pipeline
from pipelines.build.environment import Environment, ObjectStore, environment, environment_names
from pipelines.build.placement import NOTIFY_SECONDS
from pipelines.inputs.settings import recipe

GOLDEN = Path(__file__).parent / "golden"
ENVIRONMENTS = environment_names()
CLUSTERS = [name for name in ENVIRONMENTS if name != "local"]
EVERY = [(place, name) for place in ENVIRONMENTS for name in PIPELINES]
WHOLE = "text-generation"
SECRETS_KEYS = {"secretName", "secretNameParameter", "keyToEnv", "secretKey", "envVar", "optional"}


@cache
def compiled(place: str, name: str) -> str:
    """The text of a pipeline as it is compiled for an environment now."""
    with tempfile.TemporaryDirectory() as directory:
        return compile_pipeline(name, environment(place), Path(directory) / f"{name}.yaml").read_text()


@cache
def specification(place: str, name: str = WHOLE) -> tuple[dict[str, Any], dict[str, Any]]:
    """A compiled pipeline's specification, and what it asks of Kubernetes."""
    spec, *platform = yaml.load_all(compiled(place, name), yaml.CSafeLoader)
    return spec, platform[0]["platforms"]["kubernetes"] if platform else {}


def containers(spec: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Each stage's tasks' containers, by executor."""
    executors = spec["deploymentSpec"]["executors"]
    return {label: executor["container"] for label, executor in executors.items() if "container" in executor}


def tasks(spec: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """All tasks that run a container, in loops too."""
    dags = [spec["root"], *spec["components"].values()]
    for dag in dags:
        for name, task in dag.get("dag", {}).get("tasks", {}).items():
            if "executorLabel" in spec["components"][task["componentRef"]["name"]] and name != "importer":
                yield name, task


def stage_of(executor: str) -> str:
    """Whose image and pod an executor has; the report's are ingest's, the promotion's sample's."""
    stage = executor.removeprefix("exec-").partition("-")[0]
    return {"report": "ingest", "unchanged": "ingest", "notify": "ingest", "promote": "sample"}.get(stage, stage)


@pytest.mark.parametrize("place", ENVIRONMENTS)
def test_the_whole_pipeline_is_the_golden_one(place: str) -> None:
    golden = GOLDEN / f"{place}.yaml"
    if os.environ.get("QUILLFLOW_GOLDEN") == "write":
        golden.write_text(compiled(place, WHOLE))
    assert compiled(place, WHOLE) == golden.read_text()


def test_no_golden_file_is_left_over() -> None:
    assert sorted(path.stem for path in GOLDEN.iterdir()) == sorted(ENVIRONMENTS)


@pytest.mark.parametrize(("place", "name"), EVERY)
def test_a_compiled_pipeline_loads_as_a_kfp_pipeline(place: str, name: str) -> None:
    assert components.load_component_from_text(compiled(place, name)).name == name


@pytest.mark.parametrize(("place", "name"), EVERY)
def test_every_task_has_the_version_and_may_be_cached(place: str, name: str) -> None:
    found = [task for what, task in tasks(specification(place, name)[0]) if STEPS[what.partition("-")[0]].outputs]
    assert found
    for task in found:
        reported = task["inputs"]["parameters"]["version"]["componentInputParameter"]
        assert reported in {"version", "pipelinechannel--version"}
        assert task["cachingOptions"] == {"enableCache": True}


@pytest.mark.parametrize("place", CLUSTERS)
def test_a_run_ends_with_a_promotion_that_no_cache_answers(place: str) -> None:
    spec, _ = specification(place)
    found = dict(tasks(spec))
    assert not found["promote"]["cachingOptions"].get("enableCache")
    assert "report" in found["promote"]["dependentTasks"]
    pointer = {"runtimeValue": {"constant": environment(place).cluster.champion}}
    assert found["promote"]["inputs"]["parameters"]["champion"] == pointer


def test_nothing_is_promoted_where_no_champion_is_kept_nor_by_one_stage_alone() -> None:
    spec, _ = specification("local")
    stages = [specification(place, name)[0] for place in ENVIRONMENTS for name in PIPELINES if name != WHOLE]
    assert "promote" not in {what for each in (spec, *stages) for what, _ in tasks(each)}


@pytest.mark.parametrize(("place", "name"), EVERY)
def test_nothing_is_installed_at_run_time_and_every_image_is_named_by_its_version(place: str, name: str) -> None:
    assert "pip install" not in compiled(place, name)
    spec, _ = specification(place, name)
    where = environment(place)
    registry = where.images.registry
    for executor, container in containers(spec).items():
        stage = stage_of(executor)
        gpu = "-gpu" if stage == "train" and where.train.gpus else ""
        assert container["image"] == f"{registry + '/' if registry else ''}quillflow/{stage}{gpu}:{VERSION}"


@pytest.mark.parametrize("name", PIPELINES)
def test_what_is_not_given_is_as_in_the_default_recipe(name: str) -> None:
    parameters = specification("local", name)[0]["root"]["inputDefinitions"]["parameters"]
    default = recipe("default")
    if name == WHOLE:
        assert parameters["source"]["defaultValue"] == default.source
        assert {stage: parameters[stage]["defaultValue"] for stage in default.stages} == default.stages
    else:
        assert parameters["settings"]["defaultValue"] == default.stages[name]
    asked_for = {parameter for parameter, definition in parameters.items() if "defaultValue" not in definition}
    assert asked_for == {"vectorize": {"corpus_uri"}, "train": {"dataset_uri"}, "sample": {"model_uri"}}.get(
        name, set()
    )


def test_this_machine_is_asked_for_nothing() -> None:
    for name in PIPELINES:
        spec, platform = specification("local", name)
        assert platform == {}
        assert all(set(container) == {"args", "command", "image"} for container in containers(spec).values())
        assert all("retryPolicy" not in task for _, task in tasks(spec))


@pytest.mark.parametrize("place", CLUSTERS)
def test_each_pod_asks_for_what_its_stage_does(place: str) -> None:
    where = environment(place)
    spec, platform = specification(place)
    for executor, container in containers(spec).items():
        pod = getattr(where, stage_of(executor))
        resources = container["resources"]
        assert resources["resourceCpuRequest"] == pod.cpu_request
        assert resources["resourceCpuLimit"] == pod.cpu_limit
        assert resources["resourceMemoryRequest"] == pod.memory_request
        assert resources["resourceMemoryLimit"] == pod.memory_limit
        assert ("accelerator" in resources) == (stage_of(executor) == "train" and where.train.gpus > 0)
        asked = platform["deploymentSpec"]["executors"][executor]
        assert asked["activeDeadlineSeconds"] == str(NOTIFY_SECONDS if executor == "exec-notify" else pod.timeout)
        assert asked["imagePullPolicy"] == "IfNotPresent"
        assert asked["securityContext"] == {"runAsNonRoot": True}
        assert asked.get("nodeSelector", {}).get("labels", {}) == pod.node_selector
        assert len(asked.get("tolerations", [])) == len(pod.tolerations)


@pytest.mark.parametrize("place", [place for place in CLUSTERS if environment(place).train.gpus])
def test_train_asks_for_a_gpu_and_runs_where_one_is(place: str) -> None:
    where = environment(place)
    spec, platform = specification(place)
    train = containers(spec)["exec-train"]["resources"]["accelerator"]
    assert (train["resourceType"], train["resourceCount"]) == ("nvidia.com/gpu", "1")
    asked = platform["deploymentSpec"]["executors"]["exec-train"]
    assert asked["tolerations"][0] == {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    (shared_memory,) = asked["emptyDirMounts"]
    assert (shared_memory["mountPath"], shared_memory["medium"]) == ("/dev/shm", "Memory")
    assert shared_memory["sizeLimit"] == where.train.shared_memory


@pytest.mark.parametrize(("place", "name"), [(place, name) for place in CLUSTERS for name in PIPELINES])
def test_every_task_is_retried_for_longer_than_training_takes(place: str, name: str) -> None:
    where = environment(place)
    for _, task in tasks(specification(place, name)[0]):
        policy = task["retryPolicy"]
        assert policy["maxRetryCount"] == where.retries.count
        assert policy["backoffDuration"] == "60s"
        assert policy["backoffFactor"] == 2
        assert int(policy["backoffMaxDuration"].removesuffix("s")) > where.train.timeout


@pytest.mark.parametrize("place", CLUSTERS)
def test_every_pod_logs_json_with_its_run(place: str) -> None:
    """Kubeflow labels a run's pods with its id, and sets the attempt itself."""
    spec, platform = specification(place)
    for executor, container in containers(spec).items():
        assert {"name": FORMAT_VARIABLE, "value": "json"} in container["env"]
        asked = platform["deploymentSpec"]["executors"][executor]["fieldPathAsEnv"]
        assert asked == [{"name": RUN_VARIABLE, "fieldPath": "metadata.labels['pipeline/runid']"}]


@pytest.mark.parametrize("place", CLUSTERS)
def test_train_alone_is_asked_to_restart_by_itself(place: str) -> None:
    """Whatever the cluster does with a task that failed; in no argument, so the cache's key is the same."""
    retries = environment(place).retries
    spec, _ = specification(place)
    reported = {
        executor: json.loads(variable["value"])
        for executor, container in containers(spec).items()
        for variable in container.get("env", [])
        if variable["name"] == RETRIES_VARIABLE
    }
    asked = {"count": retries.count, "backoff": retries.backoff, "factor": retries.factor}
    assert reported == {"exec-train": asked}


@pytest.mark.parametrize(("place", "name"), [(place, name) for place in CLUSTERS for name in PIPELINES])
def test_a_run_ends_and_is_cleared_away(place: str, name: str) -> None:
    where = environment(place)
    _, platform = specification(place, name)
    assert platform["pipelineConfig"] == {
        "activeDeadlineSeconds": where.deadline,
        "resourceTtlOnCompletion": where.ttl,
        "resourceTtlOnSuccess": where.ttl,
        "resourceTtlOnFailure": where.ttl,
    }


@pytest.mark.parametrize("place", [place for place in CLUSTERS if environment(place).store.secret])
def test_credentials_are_named_by_secret_and_key_and_the_store_by_its_address(place: str) -> None:
    spec, platform = specification(place)
    where = environment(place)
    store = where.store
    for executor, container in containers(spec).items():
        given = {variable["name"]: variable["value"] for variable in container["env"]}
        for name in (RETRIES_VARIABLE, FORMAT_VARIABLE):
            given.pop(name, "")
        assert given == {"AWS_ENDPOINT_URL_S3": store.endpoint, "AWS_REGION": store.region}
        asked = platform["deploymentSpec"]["executors"][executor]
        (secret,) = (one for one in asked["secretAsEnv"] if one["secretName"] != where.cluster.notify.secret)
        assert set(secret) <= SECRETS_KEYS
        assert secret["secretName"] == store.secret
        assert {key["secretKey"]: key["envVar"] for key in secret["keyToEnv"]} == store.secret_keys
        assert [one["secretName"] for one in asked.get("imagePullSecret", [])] == list(where.images.pull_secrets)


def test_who_pays_for_requests_is_set_on_every_task(tmp_path: Path) -> None:
    store = ObjectStore(request_payer="requester", user_project="who-pays")
    path = compile_pipeline("ingest", environment("gke").model_copy(update={"store": store}), tmp_path / "ingest.yaml")
    (container,) = containers(next(yaml.safe_load_all(path.read_text()))).values()
    reported = {variable["name"]: variable["value"] for variable in container["env"]}
    assert reported.items() >= {"AWS_REQUEST_PAYER": "requester", "GS_USER_PROJECT": "who-pays"}.items()


def test_workload_identity_needs_no_secret() -> None:
    executors = specification("gke")[1]["deploymentSpec"]["executors"]
    assert [name for name, asked in executors.items() if "secret" in json.dumps(asked).lower()] == ["exec-notify"]


@pytest.mark.parametrize("name", ["text-generation", "sample"])
def test_shards_are_sampled_side_by_side_and_gathered(name: str) -> None:
    spec, _ = specification("gke", name)
    dags = [spec["root"]["dag"], *(one["dag"] for one in spec["components"].values() if "dag" in one)]
    loops = [task for dag in dags for task in dag["tasks"].values() if "parameterIterator" in task]
    assert [loop["parameterIterator"]["items"]["raw"] for loop in loops] == ["[0, 1, 2, 3]"]
    # kfp.local puts the loop's item for a parameter that a task made; there must be none.
    for loop in loops:
        assert not any("taskOutputParameter" in given for given in loop["inputs"]["parameters"].values())
    assert {task for task, _ in tasks(spec)} >= {"sample-shard", "sample-gather"}
    using = spec["root"]["dag"]["outputs"] if name == "sample" else dict(tasks(spec))["report"]["inputs"]
    assert "sample-gather" in yaml.safe_dump(using)


def test_without_caching_no_task_is_cached(tmp_path: Path) -> None:
    compile_all(tmp_path, Environment(caching=False))
    for name in PIPELINES:
        spec = yaml.safe_load((tmp_path / f"{name}.yaml").read_text())
        assert not any(task.get("cachingOptions", {}).get("enableCache") for _, task in tasks(spec))
