"""The environments that pipelines run in and the namespaces of deploy/ mean the same cluster."""

import pytest
import yaml

from pipelines.build.environment import environment as environment_of
from pipelines.build.images import image
from tests.deploy.manifests import ROOT, of_kind, quantity, render

OVERLAYS = {"gke": "overlays/gke", "kubeflow": "base", "on-prem": "overlays/on-prem"}
STANDALONE = environment_of("standalone")
GOLDEN = ROOT / "tests/contract/golden"


@pytest.mark.parametrize("name", OVERLAYS)
def test_runs_go_where_the_overlay_expects_them(name: str) -> None:
    environment, objects = environment_of(name), render(OVERLAYS[name])
    cluster = environment.cluster
    assert cluster.namespace in of_kind(objects, "Namespace")
    assert cluster.service_account in of_kind(objects, "ServiceAccount")
    assert cluster.pipeline_root == of_kind(objects, "ConfigMap")["kfp-launcher"]["data"]["defaultPipelineRoot"]
    assert environment.run_as_non_root


@pytest.mark.parametrize("name", ["gke", "on-prem"])
def test_jobs_pull_the_images_that_runs_pull(name: str) -> None:
    images = environment_of(name).images
    for stage, job in of_kind(render(f"overlays/{name}/jobs"), "Job").items():
        spec = job["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        assert container["image"].startswith(image(stage, registry=images.registry, gpu=stage == "train", tag=""))
        assert [secret["name"] for secret in spec.get("imagePullSecrets", [])] == list(images.pull_secrets)


def test_tasks_and_the_launcher_reach_minio_alike() -> None:
    store = environment_of("on-prem").store
    settings = of_kind(render("overlays/on-prem"), "ConfigMap")
    assert store.endpoint == settings["object-store"]["data"]["AWS_ENDPOINT_URL_S3"]
    launcher = yaml.safe_load(settings["kfp-launcher"]["data"]["providers"])["s3"]["default"]["credentials"]
    assert launcher["secretRef"]["secretName"] == store.secret
    assert {launcher["secretRef"]["accessKeyKey"], launcher["secretRef"]["secretKeyKey"]} == store.secret_keys.keys()


@pytest.mark.parametrize("name", ["kubeflow", "standalone"])
def test_what_uses_kubeflow_s_own_store_reaches_it_as_the_jobs_of_deploy_do(name: str) -> None:
    store = environment_of(name).store
    settings = of_kind(render("base"), "ConfigMap")["object-store"]["data"]
    assert (store.endpoint, store.region) == (settings["AWS_ENDPOINT_URL_S3"], settings["AWS_REGION"])
    (container,) = of_kind(render("jobs"), "Job")["train"]["spec"]["template"]["spec"]["containers"]
    keys = [
        variable["valueFrom"]["secretKeyRef"]
        for variable in container["env"]
        if "secretKeyRef" in variable.get("valueFrom", {})
    ]
    assert {key["name"] for key in keys} == {store.secret}
    assert {key["key"] for key in keys} == store.secret_keys.keys()


@pytest.mark.parametrize("name", ["kubeflow", "standalone"])
def test_a_small_cluster_has_room_for_each_pod(name: str) -> None:
    environment = environment_of(name)
    for stage in ("ingest", "vectorize", "train", "sample"):
        pod = getattr(environment, stage)
        assert quantity(pod.cpu_request) <= 1
        assert quantity(pod.memory_request) <= 2 * 2**30


def test_standalone_adds_what_its_pods_reach_and_touches_no_pod_of_kubeflow_s() -> None:
    """All runs are in Kubeflow's namespace, under its account: nothing of ours is needed, and no policy is for all."""
    assert (STANDALONE.cluster.namespace, STANDALONE.cluster.service_account) == ("kubeflow", "pipeline-runner")
    policies = of_kind(render("standalone"), "NetworkPolicy")
    assert len(policies) == len(render("standalone"))
    task = {"pipelines.kubeflow.org/v2_component": "true"}
    for policy in policies.values():
        assert policy["metadata"]["namespace"] == STANDALONE.cluster.namespace
        chosen = policy["spec"]["podSelector"]
        keys = {*chosen.get("matchLabels", {}), *(each["key"] for each in chosen.get("matchExpressions", []))}
        assert keys == {"app.kubernetes.io/component", *task}
    assert policies["quillflow-stages"]["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert not policies["quillflow-stages"]["spec"].get("ingress")


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_environment_s_pods_are_within_the_quota(name: str) -> None:
    environment, objects = environment_of(name), render(OVERLAYS[name])
    (quota,) = of_kind(objects, "ResourceQuota").values()
    hard = {resource: quantity(amount) for resource, amount in quota["spec"]["hard"].items()}
    (limits,) = of_kind(objects, "LimitRange").values()
    highest = quantity(limits["spec"]["limits"][0]["max"]["memory"])
    for stage in ("ingest", "vectorize", "train", "sample"):
        pod = getattr(environment, stage)
        pods = getattr(pod, "shards", 1)
        assert pods * quantity(pod.cpu_request) <= hard["requests.cpu"]
        assert pods * quantity(pod.memory_request) <= hard["requests.memory"]
        assert pods * quantity(pod.memory_limit) <= hard["limits.memory"]
        assert quantity(pod.memory_limit) <= highest
    assert environment.train.gpus <= hard["requests.nvidia.com/gpu"]


@pytest.mark.parametrize("name", OVERLAYS)
@pytest.mark.parametrize(("policy", "task"), [("sources", "exec-ingest"), ("notifications", "exec-notify")])
def test_the_network_lets_out_the_tasks_that_fetch_and_that_tell_alone(name: str, policy: str, task: str) -> None:
    _, platform = yaml.safe_load_all((GOLDEN / f"{name}.yaml").read_text())
    executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    launched = {"pipelines.kubeflow.org/v2_component": "true"}  # Kubeflow's own label on each task's pod
    labels = {one: launched | settings["podMetadata"]["labels"] for one, settings in executors.items()}
    chosen = of_kind(render(OVERLAYS[name]), "NetworkPolicy")[policy]["spec"]["podSelector"]["matchLabels"]
    assert [one for one, has in labels.items() if chosen.items() <= has.items()] == [task]
