"""What stands ready here and what does not: `examine` looks, and says of each thing what to do."""

from collections.abc import Iterator

from components.artifacts.storage.buckets import KINDS
from pipelines.build.environment import Environment
from pipelines.doctor import machine, services
from pipelines.doctor.check import Check


def examine(*, root: str, environment: Environment, docker: bool, gpu: bool) -> Iterator[Check]:
    """All checks, one after the other; what was asked for and is not there fails, what was not is a warning.

    Args:
        root: URI that is to be written to; empty for none.
        environment: whose Kubeflow Pipelines API is to answer, where its endpoint is set.
        docker: whether stages are to run in containers.
        gpu: whether training is to use a GPU.
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
