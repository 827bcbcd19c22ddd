"""Checks of services: the container engine, credentials, the cluster's API, the store.

No credential is read or shown, only the place that it would be read from.
"""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from components.artifacts import storage
from components.artifacts.errors import QuillflowError
from components.artifacts.storage import ABSENT, ConflictError, NoConditionsError
from components.artifacts.storage.buckets import BucketKind
from components.steps import STAGES
from pipelines.build.environment import Cluster, Environment
from pipelines.build.images import checkout_tag, image
from pipelines.doctor.check import Check, missing, shown
from pipelines.local.home import home

TIMEOUT_SECONDS = 10


def container_engine(*, asked: bool) -> Iterator[Check]:
    """Whether an engine responds, and whether it has the images of this checkout."""
    import docker
    from docker.errors import DockerException

    try:
        client = docker.from_env(timeout=TIMEOUT_SECONDS)
        number = client.version().get("Version", "of unknown version")
        tags = {tag for one in client.images.list() for tag in one.tags}
    except DockerException:
        where = os.environ.get("DOCKER_HOST", "its usual socket")
        advice = "start Docker, get permission to use its socket, or set DOCKER_HOST to an engine"
        yield missing("container engine", f"none responds at {storage.redacted(where)}", advice, asked=asked)
        return
    yield Check(name="container engine", verdict="ok", found=f"Docker {number}")
    try:
        tag = checkout_tag()
    except OSError:
        yield missing("images", "this checkout's are unknown", "install git", asked=asked)
        return
    needed = [image(stage, tag=tag) for stage in STAGES]
    if absent := [name for name in needed if name not in tags]:
        yield missing("images", f"this checkout's {', '.join(absent)} missing", "build them: make images", asked=asked)
    else:
        yield Check(name="images", verdict="ok", found=", ".join(needed))


def credentials(kind: BucketKind) -> Check:
    """Where credentials for a kind of bucket would be read from."""
    name = f"{kind.schemes[0]} credentials"
    if kind.needless and os.environ.get(kind.needless):
        return Check(name=name, verdict="ok", found=f"none needed: {kind.needless} is set")
    try:
        address = kind.server()
    except QuillflowError as error:
        return missing(name, str(error), "correct the server's address", asked=True)
    server = f", server {address}" if address else ""
    for variable in filter(os.environ.get, kind.given_by):
        return Check(name=name, verdict="ok", found=f"variable {variable}{server}")
    path, named = _credentials_file(kind)
    if path.is_file():
        return Check(name=name, verdict="ok", found=f"file {shown(path)}{server}")
    found = f"{'no variable, ' if kind.given_by else ''}no file {shown(path)}{server}"
    return missing(name, found, kind.advice, asked=named and kind.must_exist)


def _credentials_file(kind: BucketKind) -> tuple[Path, bool]:
    """The file that credentials would be in, and whether a variable names it."""
    variable, below_home = next(iter(kind.files.items()))
    if named := os.environ.get(variable):
        return Path(named), True
    usual = home() / below_home
    moved = os.environ.get(kind.directory) if kind.directory else ""
    return (Path(moved) / usual.name if moved else usual), False


def endpoint(cluster: Cluster) -> Check:
    """Whether a Kubeflow Pipelines API responds."""
    from pipelines.cluster.client import Client

    try:
        client = Client(cluster)
    except QuillflowError as error:
        return missing("endpoint", str(error), "start a port-forward, or correct the address or token", asked=True)
    namespaces = "separates namespaces" if client.namespace else "has all runs in one namespace"
    return Check(name="endpoint", verdict="ok", found=f"{storage.redacted(cluster.endpoint)} responds and {namespaces}")


def retries(environment: Environment) -> Check:
    """Whether the cluster retries failed tasks, as the environment's retries ask."""
    from pipelines.cluster.kubernetes import Kubernetes
    from pipelines.cluster.retries import LOOK, PATCH, ineffective

    kubernetes = Kubernetes(environment.cluster)
    if why := ineffective(kubernetes, environment):
        return missing("retries", why, f"apply {PATCH}, or ask the cluster's owner to", asked=False)
    policy = kubernetes.retry_policy()
    if policy is None:
        return missing("retries", "unknown whether failed tasks are retried", f"check: {LOOK}", asked=False)
    return Check(name="retries", verdict="ok", found=f"failed tasks are retried (retryPolicy {policy})")


def store(root: str) -> Iterator[Check]:
    """Whether a place can be written, rejects writes whose condition fails, and allows deleting."""
    try:
        place = storage.place_of(root) / f".quillflow-doctor-{secrets.token_hex(8)}" / "probe"
        version = place.store.write(place.key, b"first", expected=ABSENT)
    except NoConditionsError as error:
        yield missing("conditional write", str(error), "the message says what is missing", asked=True)
        yield _removal(place)
        return
    except (QuillflowError, OSError) as error:
        yield missing("write", str(error), "the message says what is missing", asked=True)
        return
    yield Check(name="write", verdict="ok", found=storage.redacted(root))
    conditional, removal = _condition(place, version), _removal(place)
    yield from (conditional, removal)


def _condition(place: storage.Place, version: str) -> Check:
    """Checkpoints and their single owner depend on a store with conditional writes."""
    try:
        place.store.write(place.key, b"second", expected=ABSENT)
    except ConflictError:
        pass
    except QuillflowError as error:
        return missing("conditional write", str(error), "the message says what is missing", asked=True)
    else:
        advice = "the server must support If-None-Match and If-Match: use a newer one, or another"
        return missing("conditional write", "the store replaces an object despite the condition", advice, asked=True)
    try:
        place.store.write(place.key, b"second", expected=version)
    except QuillflowError as error:
        return missing("conditional write", str(error), "the server must support If-Match: use a newer one", asked=True)
    return Check(name="conditional write", verdict="ok", found="rejected after another write, accepted without one")


def _removal(place: storage.Place) -> Check:
    above = str(place).removesuffix("/probe")
    try:
        storage.remove(above, ["probe"])
    except QuillflowError as error:
        return missing("delete", str(error), f"allow deleting, and remove {above}", asked=True)
    return Check(name="delete", verdict="ok", found="the probe is gone")
