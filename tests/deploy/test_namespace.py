"""What the namespace in deploy/ lets in, lets out and allows."""

import pytest
import yaml

from components.steps import STEPS
from tests.deploy.manifests import (
    JOBS,
    NAMESPACES,
    STAGES,
    Object,
    containers,
    namespace_of,
    of_kind,
    quantity,
    render,
)

ACCOUNTS = {f"quillflow-{name}" for name in (*STAGES, "pipeline")}


@pytest.mark.parametrize("directory", NAMESPACES)
def test_the_namespace_is_held_to_the_level_restricted(directory: str) -> None:
    labels = of_kind(render(directory), "Namespace")["quillflow"]["metadata"]["labels"]
    assert {labels[f"pod-security.kubernetes.io/{mode}"] for mode in ("enforce", "audit", "warn")} == {"restricted"}


@pytest.mark.parametrize("directory", NAMESPACES)
def test_only_the_pipeline_s_account_has_a_token(directory: str) -> None:
    accounts = of_kind(render(directory), "ServiceAccount")
    assert accounts.keys() == ACCOUNTS
    tokens = {name for name, account in accounts.items() if account["automountServiceAccountToken"]}
    assert tokens == {"quillflow-pipeline"}


@pytest.mark.parametrize("directory", NAMESPACES)
def test_the_pipeline_s_account_may_only_do_what_kubeflow_needs(directory: str) -> None:
    objects = render(directory)
    assert not of_kind(objects, "ClusterRole")
    assert not of_kind(objects, "ClusterRoleBinding")
    (binding,) = of_kind(objects, "RoleBinding").values()
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "quillflow-pipeline", "namespace": "quillflow"},
    ]
    (role,) = of_kind(objects, "Role").values()
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    allowed = {(resource, verb) for rule in role["rules"] for resource in rule["resources"] for verb in rule["verbs"]}
    assert allowed == {
        ("configmaps", "get"),
        ("secrets", "get"),
        ("pods", "get"),
        ("workflowtaskresults", "create"),
        ("workflowtaskresults", "patch"),
    }
    named = [rule for rule in role["rules"] if {"configmaps", "secrets"} & set(rule["resources"])]
    assert all(rule["resourceNames"] for rule in named)


@pytest.mark.parametrize("directory", NAMESPACES)
def test_nothing_comes_in_and_only_what_is_named_goes_out(directory: str) -> None:
    policies = of_kind(render(directory), "NetworkPolicy")
    assert policies.pop("default-deny")["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for policy in policies.values():
        assert policy["spec"]["policyTypes"] == ["Egress"]
        assert all(rule["to"] and rule["ports"] for rule in policy["spec"]["egress"])


@pytest.mark.parametrize("directory", NAMESPACES)
def test_no_way_leads_to_the_metadata_of_nodes_but_on_gke(directory: str) -> None:
    for policy in of_kind(render(directory), "NetworkPolicy").values():
        for peer in peers(policy):
            block = peer.get("ipBlock", {})
            if block.get("cidr") == "0.0.0.0/0":
                assert {"169.254.0.0/16", "10.0.0.0/8", "127.0.0.0/8"} <= set(block["except"])
            if block.get("cidr", "").startswith("169.254.169."):
                assert directory == "overlays/gke"


@pytest.mark.parametrize("directory", ["base", "overlays/on-prem"])
def test_only_ingest_and_notify_reach_the_internet(directory: str) -> None:
    open_to_all = [
        policy["spec"]["podSelector"]["matchLabels"]
        for policy in of_kind(render(directory), "NetworkPolicy").values()
        if any(peer.get("ipBlock", {}).get("cidr") == "0.0.0.0/0" for peer in peers(policy))
    ]
    notify = {"app.kubernetes.io/component": "notify", "pipelines.kubeflow.org/v2_component": "true"}
    assert sorted(open_to_all, key=str) == [{"app.kubernetes.io/component": "ingest"}, notify]
    for job in of_kind(render("jobs"), "Job").values():
        labels = job["spec"]["template"]["metadata"]["labels"]
        assert labels["app.kubernetes.io/component"] == job["metadata"]["name"]


@pytest.mark.parametrize("directory", NAMESPACES)
def test_ways_to_what_has_rights_are_open_by_name_to_pods_that_ask(directory: str) -> None:
    """The Kubernetes API and the metadata server: an address each, no range, and never for all pods."""
    found = []
    for name, policy in of_kind(render(directory), "NetworkPolicy").items():
        for rule in policy["spec"].get("egress", []):
            ports = {port["port"] for port in rule["ports"]} - {53}
            for peer in rule["to"]:
                cidr = peer.get("ipBlock", {}).get("cidr", "")
                if not cidr or cidr == "0.0.0.0/0" or not ports:
                    continue
                assert cidr.endswith("/32"), f"{name} opens {cidr}"
                assert policy["spec"]["podSelector"], f"{name} opens {cidr} to all"
                found.append(name)
    assert "kubernetes-api" in found
    assert ("google" in found, "google-pipeline" in found) == (directory == "overlays/gke",) * 2


def test_the_names_that_google_is_open_to_are_those_of_all_pods() -> None:
    policy = of_kind(render("overlays/gke"), "NetworkPolicy")["google"]
    (chosen,) = policy["spec"]["podSelector"]["matchExpressions"]
    assert chosen["key"] == "app.kubernetes.io/component"
    assert set(chosen["values"]) == {*STEPS, "prune", "tensorboard"}


def peers(policy: Object) -> list[Object]:
    return [peer for rule in policy["spec"].get("egress", []) for peer in rule["to"]]


@pytest.mark.parametrize("directory", NAMESPACES)
def test_all_stages_and_tensorboard_together_are_within_the_quota(directory: str) -> None:
    objects = render(directory)
    (quota,) = of_kind(objects, "ResourceQuota").values()
    (limits,) = of_kind(objects, "LimitRange").values()
    hard = quota["spec"]["hard"]
    (of_container,) = limits["spec"]["limits"]
    resources = [
        container["resources"]
        for found in (*of_kind(render("jobs"), "Job").values(), *of_kind(render("tensorboard"), "Deployment").values())
        for container in containers(found["spec"]["template"]["spec"])
    ]
    for kind in ("requests", "limits"):
        for name in ("cpu", "memory", "nvidia.com/gpu"):
            if f"{kind}.{name}" in hard:
                wanted = sum(quantity(amounts[kind].get(name, "0")) for amounts in resources)
                assert wanted <= quantity(hard[f"{kind}.{name}"])
    highest = max(quantity(amounts["limits"]["memory"]) for amounts in resources)
    assert highest <= quantity(of_container["max"]["memory"])


@pytest.mark.parametrize("directory", NAMESPACES)
def test_kubeflow_and_the_jobs_keep_artifacts_in_one_bucket(directory: str) -> None:
    settings = of_kind(render(directory), "ConfigMap")
    root = settings["kfp-launcher"]["data"]["defaultPipelineRoot"]
    assert root.split("/")[:3] == settings["object-store"]["data"]["ARTIFACTS"].split("/")[:3]
    assert root.split(":")[0] in {"gs", "s3", "minio"}


@pytest.mark.parametrize("directory", JOBS)
def test_what_a_job_names_is_in_its_namespace(directory: str) -> None:
    objects = render(namespace_of(directory))
    (readable,) = [
        rule for role in of_kind(objects, "Role").values() for rule in role["rules"] if "secrets" in rule["resources"]
    ]
    for job in of_kind(render(directory), "Job").values():
        spec = job["spec"]["template"]["spec"]
        assert spec["serviceAccountName"] in of_kind(objects, "ServiceAccount")
        for container in containers(spec):
            for source in container["envFrom"]:
                assert source["configMapRef"]["name"] in of_kind(objects, "ConfigMap")
            secrets = {
                variable["valueFrom"]["secretKeyRef"]["name"]
                for variable in container["env"]
                if "secretKeyRef" in variable.get("valueFrom", {})
            }
            assert secrets <= set(readable["resourceNames"])


def test_the_launcher_finds_minio_s_keys_where_the_jobs_do() -> None:
    settings = of_kind(render("overlays/on-prem"), "ConfigMap")
    store = yaml.safe_load(settings["kfp-launcher"]["data"]["providers"])["s3"]["default"]
    assert settings["object-store"]["data"]["AWS_ENDPOINT_URL_S3"] == f"http://{store['endpoint']}"
    reference = store["credentials"]["secretRef"]
    (container,) = containers(of_kind(render("overlays/on-prem/jobs"), "Job")["train"]["spec"]["template"]["spec"])
    keys = {
        variable["name"]: variable["valueFrom"]["secretKeyRef"]
        for variable in container["env"]
        if "secretKeyRef" in variable.get("valueFrom", {})
    }
    assert keys == {
        "AWS_ACCESS_KEY_ID": {"name": reference["secretName"], "key": reference["accessKeyKey"]},
        "AWS_SECRET_ACCESS_KEY": {"name": reference["secretName"], "key": reference["secretKeyKey"]},
    }
