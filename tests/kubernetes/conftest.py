"""A cluster with deploy/overlays/on-prem, a bucket on this machine, and what the Jobs made there."""

import os
import random
import re
from collections.abc import Iterator

import moto.settings
import pytest

from components.artifacts import storage
from tests.kubernetes.jobs import Jobs, scheduler_s_word
from tests.kubernetes.kubectl import DEPLOY, HOST, NAMESPACE, apply, get, kubectl, patch, run, until, with_changes
from tests.storage.amazon import AmazonProxy, amazon_server

OURS = (NAMESPACE, "object-store", "kubeflow")
ARTIFACTS = "s3://quillflow/jobs"
WORDS = ("the", "mill", "ground", "on", "while", "rain", "fell", "over", "hills", "far", "away")
GPU_LABEL = "nvidia.com/gpu.present"


@pytest.fixture(scope="session", autouse=True)
def cluster() -> Iterator[None]:
    """The cluster that QUILLFLOW_KUBECONFIG leads to, without the namespaces that these tests make."""
    kubeconfig = os.environ.get("QUILLFLOW_KUBECONFIG")
    if not kubeconfig:
        pytest.skip("QUILLFLOW_KUBECONFIG names no cluster; make test-cluster can start one")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("KUBECONFIG", kubeconfig)
        there = kubectl("get", "namespaces", "--output=name").split()
        taken = [name for name in OURS if f"namespace/{name}" in there]
        assert not taken, f"these tests make and delete the namespaces {', '.join(taken)}, which are there already"
        try:
            yield
        finally:
            run("delete", "namespace", *OURS, "--ignore-not-found")


@pytest.fixture(scope="session")
def store() -> Iterator[AmazonProxy]:
    """A bucket `quillflow` on this machine, which the cluster knows as minio.object-store:9000."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(moto.settings, "S3_IGNORE_SUBDOMAIN_BUCKETNAME", True)
        with amazon_server(HOST) as proxy:
            proxy.make_bucket("quillflow")
            for name, value in proxy.environment.items():
                patched.setenv(name, value)
            yield proxy


@pytest.fixture(scope="session")
def namespace(store: AmazonProxy, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The on-prem overlay, applied; but for the way to the store, which is outside the cluster, all is as it comes."""
    port = store.server_address[1]
    about = {"name": "minio", "namespace": "object-store"}
    labels = {"kubernetes.io/service-name": "minio"}
    apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "object-store"}},
        {"apiVersion": "v1", "kind": "Service", "metadata": about, "spec": {"ports": [{"port": 9000}]}},
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**about, "labels": labels},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [HOST]}],
            "ports": [{"port": port}],
        },
    )
    way = [{"to": [{"ipBlock": {"cidr": f"{HOST}/32"}}], "ports": [{"protocol": "TCP", "port": port}]}]
    directory = tmp_path_factory.mktemp("on-prem") / "namespace"
    kubectl(
        "apply",
        "--kustomize",
        with_changes(directory, "overlays/on-prem", patch("NetworkPolicy", "minio", ("/spec/egress", way))),
    )
    keys = (DEPLOY / "overlays/on-prem/credentials.env.template").read_text()
    filled = directory / "credentials.env"
    filled.write_text(re.sub(r"^(\w+)=.*$", r"\1=testing", keys, flags=re.MULTILINE))
    kubectl("create", "secret", "generic", "object-store-credentials", f"--from-env-file={filled}")


@pytest.fixture(scope="session")
def jobs(namespace: None, tmp_path_factory: pytest.TempPathFactory) -> Jobs:  # noqa: ARG001 -- it is there
    return Jobs(tmp_path_factory.mktemp("jobs"))


@pytest.fixture(scope="session")
def gpu(jobs: Jobs) -> Iterator[str]:
    """A node with a GPU has the label for that; and what the scheduler said of train before, if none had."""
    if get("nodes", f"--selector={GPU_LABEL}=true")["items"]:
        yield ""
        return
    waiting = jobs.start("train")
    reported = until("the scheduler's word", lambda: scheduler_s_word(waiting))
    waiting.delete()
    with_gpu = [node for node in get("nodes")["items"] if "nvidia.com/gpu" in node["status"]["capacity"]]
    node = with_gpu[0]["metadata"]["name"]
    kubectl("label", "node", node, f"{GPU_LABEL}=true")
    try:
        yield reported
    finally:
        kubectl("label", "node", node, f"{GPU_LABEL}-")


@pytest.fixture(scope="session")
def dataset(jobs: Jobs) -> str:
    """A dataset of a small text, by ingest's and vectorize's Jobs."""
    words = random.Random(1).choices(WORDS, k=40_000)
    storage.write_file("s3://quillflow/tale.txt", " ".join(words).encode())
    for stage in ("ingest", "vectorize"):
        jobs.start(stage).completed()
    return f"{ARTIFACTS}/dataset"


@pytest.fixture(scope="session")
def model(jobs: Jobs, dataset: str, gpu: str) -> str:  # noqa: ARG001 -- they are there
    """The model of training that nothing disturbed."""
    jobs.start("train").completed()
    return f"{ARTIFACTS}/model"
