"""What is available here and what is not: `examine` checks, and says what to do."""

from collections.abc import Iterator

from components.artifacts.storage.buckets import KINDS
from pipelines.build.environment import Environment
from pipelines.doctor import machine, services
from pipelines.doctor.check import Check


def examine(*, root: str, environment: Environment, docker: bool, gpu: bool) -> Iterator[Check]:
    """All checks in order; something missing is a failure if it was asked for, otherwise a warning.

    Args:
        root: URI that must be writable; empty for none.
        environment: whose Kubeflow Pipelines API must respond, if its endpoint is set.
        docker: whether stages should run in containers.
        gpu: whether training should use a GPU.
    """
    yield machine.python()
    yield machine.packages()
    yield from machine.devices(asked=gpu)
    yield machine.cores_and_memory()
    yield machine.disk(root)
    yield from services.container_engine(asked=docker)
    yield from map(services.credentials, KINDS)
    if environment.cluster.endpoint:
        yield services.endpoint(environment.cluster)
        if environment.retries.count:
            yield services.retries(environment)
    if root:
        yield from services.store(root)
