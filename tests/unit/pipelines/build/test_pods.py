"""What pods ask of the cluster is checked by Kubernetes's rules when an environment is read, and reaches every task."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from components.artifacts.errors import UsageError
from pipelines.build.compile import compile_pipeline
from pipelines.build.environment import Environment, environment

WORD = "at most 63 letters, digits, -, _ and ., a letter or digit first and last"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train: {labels: {team: 'a b'}}", f"train.labels: team: its value 'a b' must be empty or {WORD}"),
        ("labels: {team: -a}", f"labels: team: its value '-a' must be empty or {WORD}"),
        (f"labels: {{team: {'a' * 64}}}", f"labels: team: its value '{'a' * 64}' must be empty or {WORD}"),
        ("labels: {team: ü}", f"labels: team: its value 'ü' must be empty or {WORD}"),
        ("sample: {labels: {'my team': a}}", f"sample.labels: the key 'my team' must be {WORD}, alone or"),
        ("ingest: {annotations: {Example.com/a: x}}", "ingest.annotations: the key 'Example.com/a' must be"),
        (f"labels: {{{'a.' * 126}ab/x: y}}", "labels: the key 'a.a"),
        ("annotations: {a/b/c: x}", "annotations: the key 'a/b/c' must be"),
        ("annotations: {'/a': x}", "annotations: the key '/a' must be"),
        ("annotations: {note: '{{workflow.name}}'}", "annotations: note: must not contain {{, which Kubeflow would"),
        (f"annotations: {{note: {'x' * 262_141}}}", "annotations: must have at most 262,144 bytes together"),
        ("labels: {a: true}", "labels.a: input should be a valid string, not True"),
        ("train: {node_selector: {gpu: 'a b'}}", "train.node_selector: gpu: its value 'a b' must be"),
        ("train: {preferred_nodes: {gpu: 'a b'}}", "train.preferred_nodes: gpu: its value 'a b' must be"),
        (
            "train: {labels: {app.kubernetes.io/component: ingest}}",
            "train.labels: app.kubernetes.io/component: is set by Quillflow, Kubeflow or Argo, which find pods by it",
        ),
        ("labels: {pipeline/runid: x}", "labels: pipeline/runid: is set by"),
        ("labels: {pipelines.kubeflow.org/v2_component: x}", "labels: pipelines.kubeflow.org/v2_component: is set by"),
        ("annotations: {workflows.argoproj.io/x: y}", "annotations: workflows.argoproj.io/x: is set by"),
        ("sample: {ephemeral_storage: 1.5Gi}", "sample.ephemeral_storage: must be whole Mi, Gi or the like"),
        (
            "train: {gpus: 1, ephemeral_storage: 9Gi}",
            "train: ephemeral_storage 9Gi has no effect with gpus: Kubeflow passes on one resource besides CPUs",
        ),
    ],
)
def test_what_kubernetes_or_kubeflow_would_not_take_is_refused_with_stage_and_field(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as raised:
        environment(str(path))
    assert str(raised.value).startswith(f"{path}: {message}")
    assert "\n" not in str(raised.value)


def test_what_kubernetes_takes_is_taken() -> None:
    longest = f"{'a.' * 126}a/{'B' * 63}"
    labels = {
        "a": "",
        "A.b_c-1": "9",
        longest: "x" * 63,
        "kueue.x-k8s.io/queue-name": "q",
        "sidecar.istio.io/inject": "no",
    }
    assert Environment.model_validate({"labels": labels, "annotations": {"a": "ü\n{", longest: ""}}).labels == labels


def asked(values: dict[str, Any], directory: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The container and what is asked of Kubernetes for each of a run's tasks, by executor."""
    path = compile_pipeline("text-generation", Environment.model_validate(values), directory / "pipeline.yaml")
    spec, platform = yaml.load_all(path.read_text(), yaml.CSafeLoader)
    containers = {
        name: one["container"] for name, one in spec["deploymentSpec"]["executors"].items() if "container" in one
    }
    return containers, platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]


def test_labels_and_annotations_are_on_all_pods_and_a_stages_come_on_top(tmp_path: Path) -> None:
    values = {
        "labels": {"team": "language", "a": "all"},
        "annotations": {"note": "all"},
        "train": {"labels": {"a": "train"}, "annotations": {"karpenter.sh/do-not-disrupt": "true"}},
        "cluster": {"namespace": "quillflow"},
    }
    containers, executors = asked(values, tmp_path)
    assert executors.keys() == containers.keys() > {"exec-ingest", "exec-report", "exec-train"}
    for name, one in executors.items():
        labels = {key: value for key, value in one["podMetadata"]["labels"].items() if not key.startswith("app.")}
        is_train = name == "exec-train"
        assert labels == {"team": "language", "a": "train" if is_train else "all"}
        more = {"karpenter.sh/do-not-disrupt": "true"} if is_train else {}
        assert one["podMetadata"]["annotations"] == {"note": "all", **more}


def test_preferred_nodes_are_preferred_and_not_required(tmp_path: Path) -> None:
    _, executors = asked({"train": {"preferred_nodes": {"spot": "true", "zone": "b"}}}, tmp_path)
    assert {name for name, one in executors.items() if "nodeAffinity" in one} == {"exec-train"}
    (term,) = executors["exec-train"]["nodeAffinity"]
    wanted = [{"key": "spot", "operator": "In", "values": ["true"]}, {"key": "zone", "operator": "In", "values": ["b"]}]
    assert term == {"weight": 100, "matchExpressions": wanted}


def test_ephemeral_storage_is_a_resource_of_the_container(tmp_path: Path) -> None:
    containers, _ = asked({"ingest": {"ephemeral_storage": "2Gi", "labels": {"a": "b"}}}, tmp_path)
    asked_for = {name: one["resources"]["accelerator"] for name, one in containers.items() if "resources" in one}
    assert asked_for.keys() == {"exec-ingest", "exec-report"}
    resource = asked_for["exec-ingest"]
    assert (resource["resourceType"], resource["resourceCount"]) == ("ephemeral-storage", str(2 * 2**30))
