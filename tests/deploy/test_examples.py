"""The examples of deploy/: a pipeline's pods and the Jobs ask for the same, and the README shows each file."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from pipelines.build.compile import compile_pipeline
from pipelines.build.environment import environment
from tests.deploy.manifests import DEPLOY, KUBERNETES, Object, of_kind, quantity, render

ENVIRONMENTS = Path(__file__).parents[2] / "pipelines" / "environments"
EXAMPLES = {"gke": "gke", "karpenter": "on-prem", "kueue": "on-prem"}
"""The examples, each with the environment that it is added to."""
README = (DEPLOY / "README.md").read_text()
SHOWN = dict(re.findall(r"\]\((examples/[\w./-]+\.yaml)\)[^`]*```yaml\n(.*?)```", README, re.DOTALL))


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def pods(platform: Object, spec: Object) -> Iterator[tuple[str, Object]]:
    """The pods that Kubeflow makes of a compiled pipeline's tasks, by executor, as far as the environment says."""
    for name, asked in platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"].items():
        container = spec["deploymentSpec"]["executors"][name]["container"]
        resource = container["resources"].get("accelerator", {})
        limits = {resource["resourceType"]: resource["resourceCount"]} if resource else {}
        preferred = [
            {"weight": term["weight"], "preference": {"matchExpressions": term["matchExpressions"]}}
            for term in asked.get("nodeAffinity", [])
        ]
        affinity = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}
        yield (
            name,
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": "task", **asked["podMetadata"]},
                "spec": {
                    "containers": [{"name": "main", "image": container["image"], "resources": {"limits": limits}}],
                    "nodeSelector": asked.get("nodeSelector", {}).get("labels", {}),
                    "tolerations": asked.get("tolerations", []),
                    **({"affinity": affinity} if preferred else {}),
                },
            },
        )


@pytest.fixture(params=EXAMPLES)
def example(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def compiled(example: str, tmp_path: Path) -> dict[str, Object]:
    """The pods of the tasks of train and sample where the example is added to an environment."""
    values = read(ENVIRONMENTS / f"{EXAMPLES[example]}.yaml")
    for name, more in read(DEPLOY / "examples" / example / "environment.yaml").items():
        values[name] = {**values.get(name, {}), **more}
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(values))
    found: dict[str, Object] = {}
    for name in ("train", "sample"):
        text = compile_pipeline(name, environment(str(path)), tmp_path / f"{name}.yaml").read_text()
        spec, platform = yaml.load_all(text, yaml.CSafeLoader)
        found |= pods(platform, spec)
    return found


def test_kubernetes_takes_the_pods_of_a_pipeline(compiled: dict[str, Object]) -> None:
    for pod in compiled.values():
        for version in KUBERNETES:
            kubernetes_validate.validate(pod, version, strict=True)


def test_a_job_of_train_asks_for_what_a_pipelines_does(example: str, compiled: dict[str, Object]) -> None:
    job, task = of_kind(render(f"examples/{example}/jobs"), "Job")["train"], compiled["exec-train"]
    pod = job["spec"]["template"]
    if example != "kueue":  # it adds none to those of the environment and the overlay
        assert pod["spec"]["affinity"] == task["spec"]["affinity"]
        assert pod["spec"]["nodeSelector"] == task["spec"]["nodeSelector"]
        both = (pod["spec"]["tolerations"], task["spec"]["tolerations"])
        job_s, task_s = ([{"operator": "Equal", **one} for one in tolerations] for tolerations in both)
        assert job_s == task_s
    assert pod["metadata"].get("annotations", {}) == task["metadata"].get("annotations", {})
    assert task["metadata"]["labels"].items() <= (job["metadata"]["labels"] | pod["metadata"]["labels"]).items()


def test_a_job_of_sample_reserves_the_disk_that_a_pipelines_does(example: str, compiled: dict[str, Object]) -> None:
    job = of_kind(render(f"examples/{example}/jobs"), "Job")["sample"]["spec"]["template"]["spec"]
    asked = job["containers"][0]["resources"]["requests"].get("ephemeral-storage", "0")
    task = compiled["exec-sample-shard"]["spec"]["containers"][0]["resources"]["limits"]
    assert quantity(asked) == quantity(task.get("ephemeral-storage", "0"))


def test_kueues_queue_is_there_and_has_room_for_train(compiled: dict[str, Object], example: str) -> None:
    if example != "kueue":
        return
    objects = list(yaml.safe_load_all((DEPLOY / "examples/kueue/queues.yaml").read_text()))
    labels = compiled["exec-train"]["metadata"]["labels"]
    local = of_kind(objects, "LocalQueue")[labels["kueue.x-k8s.io/queue-name"]]
    queue = of_kind(objects, "ClusterQueue")[local["spec"]["clusterQueue"]]
    assert labels["kueue.x-k8s.io/priority-class"] in of_kind(objects, "WorkloadPriorityClass")
    assert local["metadata"]["namespace"] in queue["spec"]["namespaceSelector"]["matchLabels"].values()
    (group,) = queue["spec"]["resourceGroups"]
    (flavor,) = group["flavors"]
    assert flavor["name"] in of_kind(objects, "ResourceFlavor")
    assert {one["name"] for one in flavor["resources"]} == set(group["coveredResources"])
    assert {"cpu", "memory", *compiled["exec-train"]["spec"]["containers"][0]["resources"]["limits"]} == set(
        group["coveredResources"]
    )


def test_karpenters_pool_makes_the_nodes_that_train_asks_for(compiled: dict[str, Object], example: str) -> None:
    if example != "karpenter":
        return
    objects = list(yaml.safe_load_all((DEPLOY / "examples/karpenter/nodes.yaml").read_text()))
    spec = compiled["exec-train"]["spec"]
    pool = of_kind(objects, "NodePool")[spec["nodeSelector"]["karpenter.sh/nodepool"]]["spec"]["template"]["spec"]
    assert pool["nodeClassRef"]["name"] in of_kind(objects, "EC2NodeClass")
    offered = {one["key"]: one["values"] for one in pool["requirements"]}
    (term,) = spec["affinity"]["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    (wanted,) = term["preference"]["matchExpressions"]
    assert set(wanted["values"]) < set(offered[wanted["key"]])
    tolerated = {(one["key"], one["effect"]) for one in spec["tolerations"]}
    assert {(one["key"], one["effect"]) for one in pool["taints"]} <= tolerated


def test_the_readme_shows_each_example_as_it_is() -> None:
    files = {f"examples/{path.relative_to(DEPLOY / 'examples')}" for path in DEPLOY.glob("examples/*/*.yaml")}
    assert {name: (DEPLOY / name).read_text() for name in files} == SHOWN
