"""What deploy/ renders to, and what is written there, is what the Kubernetes API takes."""

import kubernetes_validate
import pytest

from tests.deploy.manifests import DEPLOY, DIRECTORIES, KUBERNETES, Object, render, written

OTHERS = ("kubeflow.org/", "kueue.x-k8s.io/", "karpenter.")
WRITTEN = [
    (path, document)
    for path, document in written()
    if "apiVersion" in document and not document["apiVersion"].startswith(OTHERS)
]
"""What Kubernetes or kustomize reads; there is no schema of other programs' kinds there."""


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("directory", DIRECTORIES)
def test_each_object_fits_its_schema(directory: str, version: str) -> None:
    for found in render(directory):
        kubernetes_validate.validate(found, version, strict=True)


@pytest.mark.parametrize("directory", DIRECTORIES)
def test_no_two_objects_are_one(directory: str) -> None:
    names = [(found["kind"], found["metadata"]["name"]) for found in render(directory)]
    assert len(names) == len(set(names)) > 0


@pytest.mark.parametrize("directory", DIRECTORIES)
def test_each_object_is_in_the_namespace(directory: str) -> None:
    for found in render(directory):
        if found["kind"] != "Namespace":
            assert found["metadata"]["namespace"] == ("kubeflow" if directory == "standalone" else "quillflow")


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize(("path", "document"), WRITTEN, ids=[f"{path}-{n}" for n, (path, _) in enumerate(WRITTEN)])
def test_each_written_object_fits_its_schema(path: str, document: Object, version: str) -> None:
    if document["kind"] != "Kustomization":
        kubernetes_validate.validate(document, version, strict=True)
        return
    folder = (DEPLOY / path).parent
    for name in [*document.get("resources", []), *(patch.get("path", ".") for patch in document.get("patches", []))]:
        assert (folder / name).exists(), f"{path} names {name}"
