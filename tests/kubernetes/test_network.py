"""The on-prem overlay's network policies, in force: pods reach DNS and the store, and nothing reaches them.

A webhook inside the cluster is reached by notify's pod alone, once its address is opened.
"""

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.kubernetes.kubectl import HOST, NAMESPACE, apply, kubectl, narrow_pod, run, until
from tests.storage.amazon import AmazonProxy


@pytest.fixture(scope="module")
def listener(namespace: None) -> Iterator[str]:  # noqa: ARG001 -- it is there
    """The address of a pod of the namespace that listens at port 8080, beside a probe; and a outsider elsewhere."""
    probe, outsider = (narrow_pod(name, ["sleep", "3600"]) for name in ("probe", "outsider"))
    outsider["metadata"]["namespace"] = "object-store"
    apply(probe, outsider, narrow_pod("listener", ["python3", "-m", "http.server", "8080"]))
    kubectl("wait", "--for=condition=Ready", "pod/probe", "pod/listener", "--timeout=120s")
    kubectl("wait", "--namespace=object-store", "--for=condition=Ready", "pod/outsider", "--timeout=60s")
    yield kubectl("get", "pod", "listener", "--output=jsonpath={.status.podIP}")
    kubectl("delete", "pod", "probe", "listener", "--wait=false")


@pytest.fixture
def another_port() -> Iterator[int]:
    """A port of this machine where something answers that is not the store."""
    with socket.create_server((HOST, 0)) as listening:
        threading.Thread(target=_accept, args=(listening,), daemon=True).start()
        yield listening.getsockname()[1]


def _accept(listening: socket.socket) -> None:
    try:
        while True:
            listening.accept()[0].close()
    except OSError:
        return


def reaches(pod: str, host: str, port: int) -> bool:
    code = f"import socket; socket.create_connection(({host!r}, {port}), 5)"
    where = [f"--namespace={'object-store' if pod == 'outsider' else NAMESPACE}"]
    return run("exec", *where, pod, "--", "python3", "-c", code).returncode == 0


@pytest.mark.usefixtures("listener")
def test_pods_reach_the_store_by_its_name_and_nothing_else(store: AmazonProxy, another_port: int) -> None:
    until("the way to the store", lambda: reaches("probe", "minio.object-store", 9000), 30)
    assert reaches("probe", HOST, store.server_address[1])
    assert reaches("outsider", HOST, another_port)
    assert not reaches("probe", HOST, another_port)


def test_nothing_reaches_a_pod(listener: str) -> None:
    until("its own answer", lambda: reaches("listener", "127.0.0.1", 8080), 30)
    assert not reaches("probe", listener, 8080)
    assert not reaches("outsider", listener, 8080)


@pytest.mark.usefixtures("listener")
def test_only_the_pod_of_notify_reaches_a_webhook_inside_the_cluster(another_port: int) -> None:
    notifier = narrow_pod("notifier", ["sleep", "3600"])
    notifier["metadata"]["labels"] = {"app.kubernetes.io/component": "notify"}
    apply(notifier)
    kubectl("wait", "--for=condition=Ready", "pod/notifier", "--timeout=120s")
    assert not reaches("notifier", HOST, another_port)
    way = {"to": [{"ipBlock": {"cidr": f"{HOST}/32"}}], "ports": [{"protocol": "TCP", "port": another_port}]}
    spec = {"podSelector": {"matchLabels": notifier["metadata"]["labels"]}, "policyTypes": ["Egress"], "egress": [way]}
    about = {"name": "webhook", "namespace": NAMESPACE}
    apply({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": about, "spec": spec})
    until("the way to the webhook", lambda: reaches("notifier", HOST, another_port), 30)
    assert not reaches("probe", HOST, another_port)
    kubectl("delete", "networkpolicy/webhook", "pod/notifier", "--wait=false")
