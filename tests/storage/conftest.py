"""Stores of each kind on loopback, with clients that do not wait for long."""

import itertools
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from components.artifacts.storage import (
    Place,
    gcs,
    place,
    place_of,
    s3,
    s3_client,
)
from tests.shorter import without_page
from tests.storage import servers
from tests.storage.amazon import AmazonProxy, amazon_server
from tests.storage.google import GcsProxy, google_server

KINDS = ("local", "gs", "s3")
BUCKETS = ("gs", "s3")
_numbers = itertools.count()


@pytest.fixture(scope="session")
def google() -> Iterator[GcsProxy]:
    with google_server() as proxy:
        yield proxy


@pytest.fixture(scope="session")
def amazon() -> Iterator[AmazonProxy]:
    with amazon_server() as proxy:
        yield proxy


@pytest.fixture
def silence(request: pytest.FixtureRequest) -> float:
    """How long a client bears with a silent server, in seconds: short only where that is the test's own fault.

    On a busy machine an answer takes seconds.
    """
    parameters = getattr(getattr(request.node, "callspec", None), "params", {})
    return 0.5 if parameters.get("fault") == "stall" else 20.0


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory, silence: float) -> None:
    """No store waits as long as it would in earnest, and none finds credentials of this machine's user."""
    home = tmp_path_factory.getbasetemp() / "home"
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "CLOUDSDK_CONFIG"):
        monkeypatch.setenv(name, str(home / name))
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setattr(gcs, "FIRST_WAIT_SECONDS", 0.02)
    monkeypatch.setattr(gcs, "LONGEST_WAIT_SECONDS", 0.3)
    monkeypatch.setattr(gcs, "RETRY_SECONDS", 30.0)
    monkeypatch.setattr(gcs, "TIMEOUT_SECONDS", silence)
    monkeypatch.setattr(s3_client, "FIRST_WAIT_SECONDS", 0.02)
    monkeypatch.setattr(s3_client, "LONGEST_WAIT_SECONDS", 0.1)
    monkeypatch.setattr(s3_client, "RETRY_SECONDS", 30.0)
    monkeypatch.setattr(s3_client, "UNHEARD_SECONDS", 3.0)
    monkeypatch.setattr(s3, "ATTEMPTS", 4)
    monkeypatch.setattr(s3_client, "READ_SECONDS", silence)


@pytest.fixture
def no_page() -> Iterator[None]:
    """Ingest draws no page: most tests of it here look at other things."""
    with without_page("components.ingest.ingesting"):
        yield


@pytest.fixture
def fresh_clients() -> Iterator[None]:
    """Clients are made within the test, with what it sets; elsewhere they are kept: S3's take half a second."""
    place._bucket.cache_clear()
    yield
    place._bucket.cache_clear()


@pytest.fixture
def server_of(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], servers.Proxy]]:
    """The server for a scheme, its environment set, its faults forgotten before and after."""
    used: list[servers.Proxy] = []

    def serve(scheme: str) -> servers.Proxy:
        proxy: servers.Proxy = request.getfixturevalue({"gs": "google", "s3": "amazon"}[scheme])
        for name, value in proxy.environment.items():
            monkeypatch.setenv(name, value)
        proxy.faults.clear()
        used.append(proxy)
        return proxy

    yield serve
    for proxy in used:
        proxy.faults.clear()


@pytest.fixture(scope="session")
def made() -> set[tuple[str, str]]:
    """The schemes and the buckets they have."""
    return set()


@pytest.fixture
def root_of(
    server_of: Callable[[str], servers.Proxy],
    tmp_path_factory: pytest.TempPathFactory,
    made: set[tuple[str, str]],
    silence: float,
) -> Callable[[str], str]:
    """A URI in each kind of store with nothing there yet."""

    def make(kind: str) -> str:
        if kind == "local":
            return str(tmp_path_factory.mktemp("store"))
        proxy = server_of(kind)
        # A client is made once for a bucket, and keeps its patience.
        bucket = f"bucket-{silence}"
        if (kind, bucket) not in made:
            proxy.make_bucket(bucket)
            made.add((kind, bucket))
        return f"{kind}://{bucket}/{next(_numbers)}"

    return make


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def root(kind: str, root_of: Callable[[str], str]) -> str:
    """An empty place in each kind of store in turn, as a URI."""
    return root_of(kind)


@pytest.fixture
def at(root: str) -> Place:
    """The same as a place."""
    return place_of(root) / "some"


@pytest.fixture
def faults(kind: str, server_of: Callable[[str], servers.Proxy], root: str) -> servers.Faults:
    """What goes wrong at the server of `root`, which exists already."""
    assert root
    return server_of(kind).faults


@pytest.fixture
def source(tmp_path: Path) -> Callable[[int], Path]:
    """A file of random bytes of a size."""

    def make(size: int) -> Path:
        path = tmp_path / "source"
        path.write_bytes(secrets.token_bytes(size))
        return path

    return make
