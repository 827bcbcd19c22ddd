"""TensorBoard as an option of a namespace in deploy/."""

import shutil
from pathlib import Path

import kubernetes_validate
import pytest

from components.tensorboard.__main__ import parser
from components.tensorboard.config import TensorboardConfig
from pipelines.build.environment import environment as environment_of
from tests.deploy.manifests import DEPLOY, KUBERNETES, TENSORBOARDS, Object, of_kind, quantity, render

OVERLAYS = ("gke", "on-prem")


def pod_of(directory: str) -> Object:
    pod: Object = of_kind(render(directory), "Deployment")["tensorboard"]["spec"]["template"]["spec"]
    return pod


def container_of(directory: str, name: str) -> Object:
    (found,) = [container for container in pod_of(directory)["containers"] if container["name"] == name]
    return dict(found)


def names(objects: list[Object]) -> set[tuple[str, str]]:
    return {(found["kind"], found["metadata"]["name"]) for found in objects}


@pytest.fixture(params=OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def with_option(overlay: str, tmp_path: Path) -> list[Object]:
    """What an overlay renders to when its list of resources has a line more."""
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    settings = tmp_path / "deploy" / "overlays" / overlay / "kustomization.yaml"
    settings.write_text(settings.read_text().replace("resources:\n", "resources:\n  - tensorboard\n"))
    return render(str(settings.parent))


def test_a_line_in_an_overlay_adds_tensorboard_and_changes_nothing_else(
    overlay: str, with_option: list[Object]
) -> None:
    before = render(f"overlays/{overlay}")
    added = [found for found in with_option if found not in before]
    assert [found for found in before if found not in with_option] == []
    assert added == render(f"overlays/{overlay}/tensorboard")
    assert names(added) == {
        ("Deployment", "tensorboard"),
        ("Service", "tensorboard"),
        ("ServiceAccount", "quillflow-tensorboard"),
    }
    for version in KUBERNETES:
        for found in with_option:
            kubernetes_validate.validate(found, version, strict=True)


def test_what_it_names_is_in_the_namespace(overlay: str, with_option: list[Object]) -> None:
    assert ("ServiceAccount", pod_of(f"overlays/{overlay}/tensorboard")["serviceAccountName"]) in names(with_option)
    mirror = container_of(f"overlays/{overlay}/tensorboard", "mirror")
    settings = of_kind(with_option, "ConfigMap")
    assert [source["configMapRef"]["name"] for source in mirror["envFrom"]] == ["object-store"]
    (variable,) = [variable for variable in mirror["env"] if variable["name"] == "PIPELINE_ROOT"]
    root = variable["valueFrom"]["configMapKeyRef"]
    assert settings[root["name"]]["data"][root["key"]] == environment_of(overlay).cluster.pipeline_root
    assert settings["object-store"]["data"]["ARTIFACTS"]


def test_its_image_and_keys_are_where_the_stages_have_them(overlay: str) -> None:
    spec, environment = pod_of(f"overlays/{overlay}/tensorboard"), environment_of(overlay)
    for container in spec["containers"]:
        assert container["image"].startswith(f"{environment.images.registry}/quillflow/tensorboard:")
    assert [secret["name"] for secret in spec.get("imagePullSecrets", [])] == list(environment.images.pull_secrets)
    keys = {
        variable["name"]: variable["valueFrom"]["secretKeyRef"]
        for variable in container_of(f"overlays/{overlay}/tensorboard", "mirror")["env"]
        if "secretKeyRef" in variable.get("valueFrom", {})
    }
    store = environment.store
    assert keys == {name: {"name": store.secret, "key": key} for key, name in store.secret_keys.items() if store.secret}


@pytest.mark.parametrize("directory", TENSORBOARDS)
def test_the_mirror_gets_arguments_that_it_understands_and_no_more_than_there_is_room_for(directory: str) -> None:
    mirror, spec = container_of(directory, "mirror"), pod_of(directory)
    assert mirror["command"] == ["python3", "-m", "components.tensorboard"]
    given = parser().parse_args(mirror["args"])
    assert given.root == ["$(PIPELINE_ROOT)", "$(ARTIFACTS)"]
    config = TensorboardConfig.parse({"every": given.every, "megabytes": given.megabytes}, "tensorboard")
    room = {volume["name"]: quantity(volume["emptyDir"]["sizeLimit"]) for volume in spec["volumes"]}
    place = {mount["mountPath"]: mount["name"] for mount in mirror["volumeMounts"]}[str(given.logs)]
    assert config.megabytes * 1e6 * 1.5 < room[place]


@pytest.mark.parametrize("directory", TENSORBOARDS)
def test_the_server_reads_the_mirror_and_has_no_keys(directory: str) -> None:
    server = container_of(directory, "tensorboard")
    (logs,) = [mount for mount in server["volumeMounts"] if mount["mountPath"] == "/logs"]
    assert logs["readOnly"] is True
    assert "--logdir=/logs" in server["command"]
    assert not server.keys() & {"env", "envFrom"}


@pytest.mark.parametrize("directory", TENSORBOARDS)
def test_the_service_and_the_probes_lead_to_the_server(directory: str) -> None:
    objects, server = render(directory), container_of(directory, "tensorboard")
    service, deployment = of_kind(objects, "Service")["tensorboard"], of_kind(objects, "Deployment")["tensorboard"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert service["spec"]["selector"].items() <= labels.items()
    assert service["spec"].get("type", "ClusterIP") == "ClusterIP"
    (port,) = server["ports"]
    assert f"--port={port['containerPort']}" in server["command"]
    assert [served["targetPort"] for served in service["spec"]["ports"]] == [port["name"]]
    for probe in ("readinessProbe", "livenessProbe"):
        assert server[probe]["httpGet"]["port"] == port["name"]


def test_nothing_is_let_in_and_the_way_to_the_store_is_open(overlay: str, with_option: list[Object]) -> None:
    policies = of_kind(with_option, "NetworkPolicy")
    assert not [name for name, policy in policies.items() if "ingress" in policy["spec"]]
    assert policies["default-deny"]["spec"]["podSelector"] == {}
    selector = policies[{"gke": "google", "on-prem": "minio"}[overlay]]["spec"]["podSelector"]
    chosen = [choice["values"] for choice in selector.get("matchExpressions", [])]
    assert all("tensorboard" in values for values in chosen)
