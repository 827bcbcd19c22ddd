"""Servers that speak S3 in part, at addresses of their own: used as far as they go."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError, SSLError

from components.artifacts.errors import UsageError
from components.artifacts.storage import ABSENT, ANY, NoConditionsError, StorageError, outgoing, place, place_of, s3
from components.artifacts.storage.s3_errors import explained
from tests.storage.amazon import AmazonProxy
from tests.storage.google import GcsProxy
from tests.storage.trees import fill

SIZES = [1000, 11_000_000]
"""One that goes in a request, and one that goes in parts."""
NEWER = "AWS_REQUEST_CHECKSUM_CALCULATION"


@pytest.fixture(params=["s3"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(
    root: str,  # noqa: ARG001 -- its bucket is there
    amazon: AmazonProxy,
    fresh_clients: None,  # noqa: ARG001 -- each test's settings count
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[AmazonProxy]:
    """A server whose habits a test may choose."""
    for name in (NEWER, "AWS_RESPONSE_CHECKSUM_VALIDATION", "AWS_REQUEST_PAYER"):
        monkeypatch.delenv(name, raising=False)
    parts = TransferConfig(multipart_threshold=6 << 20, multipart_chunksize=5 << 20, max_concurrency=2)
    monkeypatch.setattr(s3, "_TRANSFER", parts)
    yield amazon
    amazon.habits.clear()
    amazon.below = ""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "source"


def carry(uri: str, path: Path, size: int) -> None:
    """Write and read in all ways."""
    target = place_of(uri)
    path.write_bytes(secrets.token_bytes(size))
    target.store.upload(path, target.key)
    target.store.download(target.key, path.with_name("copy"))
    assert path.with_name("copy").read_bytes() == path.read_bytes()
    assert [found.key for found in target.store.list(target.above.key)] == [target.key]
    version = target.store.write(target.key, b"small")
    assert target.store.read(target.key) == (b"small", version)
    target.store.delete(target.key)
    assert target.store.version(target.key) is None


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("asked", ["", "when_required"])
def test_a_server_that_knows_no_newer_checksums_is_written_to_and_read(
    server: AmazonProxy, root: str, source: Path, asked: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if asked:
        monkeypatch.setenv(NEWER, asked)
    server.habits.add("no checksums")
    carry(f"{root}/file", source, size)


@pytest.mark.parametrize("size", SIZES)
def test_such_a_server_still_holds_what_arrives_against_a_digest(
    server: AmazonProxy, root: str, source: Path, size: int
) -> None:
    server.habits.add("no checksums")
    source.write_bytes(secrets.token_bytes(size))
    target = place_of(f"{root}/file")
    server.faults.add("damage", r"^PUT .*/file($|.*partNumber=2)")
    with pytest.raises(StorageError, match="XAmzContentSHA256Mismatch"):
        target.store.upload(source, target.key)
    assert target.store.version(target.key) is None


def test_the_variable_asks_for_newer_checksums_where_a_server_knows_them(
    server: AmazonProxy, root: str, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NEWER, "when_supported")
    carry(f"{root}/file", source, 1000)
    server.habits.add("no checksums")
    with pytest.raises(StorageError, match=rf"InvalidArgument.*Unsupported header.*set {NEWER} .*to when_required"):
        place_of(f"{root}/file").store.upload(source, "file")


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_an_endpoint_may_have_a_path(
    server: AmazonProxy, root: str, source: Path, name: str, slash: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.below = "/storage/v1/s3"
    monkeypatch.setenv(name, f"{server.url}/storage/v1/s3{slash}")
    for size in SIZES:
        carry(f"{root}/a file #1", source, size)


@pytest.mark.parametrize(
    "lines",
    [
        "[default]\nendpoint_url = {}",
        "[default]\nservices = here\nendpoint_url = http://elsewhere\n[services here]\ns3 =\n  endpoint_url = {}",
        "[profile mine]\nendpoint_url = {}",
    ],
    ids=["global", "service", "profile"],
)
@pytest.mark.parametrize("scheme", ["s3", "minio"])
def test_an_endpoint_may_be_in_the_configuration_file(
    server: AmazonProxy, root: str, source: Path, lines: str, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.below = "/storage/v1/s3"
    server.habits.add("no checksums")
    configuration = source.with_name("config")
    configuration.write_text(lines.format(f"{server.url}/storage/v1/s3"))
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(configuration))
    if "profile" in lines:
        monkeypatch.setenv("AWS_PROFILE", "mine")
    carry(f"{scheme}://{root.removeprefix('s3://')}/file", source, 1000)


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("address", ["localhost:9000", "ftp://host", "http://", "http://host/path?query", "http://a@b"])
def test_an_endpoint_in_the_configuration_file_that_is_none_is_wrong_use(
    address: str, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.write_text(f"[default]\nendpoint_url = {address}")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(source))
    with pytest.raises(UsageError, match=r"endpoint_url in the AWS configuration file: (not a server|put the user)"):
        place_of("s3://bucket/thing")


def test_a_bucket_whose_requester_pays_is_read_listed_and_written(
    server: AmazonProxy, root: str, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.habits.add("requester pays")
    with pytest.raises(StorageError, match="403 AccessDenied"):
        list(place_of(root).store.list(""))
    monkeypatch.setenv("AWS_REQUEST_PAYER", "requester")
    place._bucket.cache_clear()
    for size in SIZES:
        carry(f"{root}/file", source, size)


@pytest.mark.parametrize("kind", ["gs"])
@pytest.mark.usefixtures("fresh_clients")
def test_a_project_that_pays_is_named_in_each_request(
    root: str, google: GcsProxy, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GS_USER_PROJECT", "who-pays")
    carry(f"{root}/file", source, 1000)
    assert google.faults.count("userProject=who-pays") == len(google.faults.seen) > 5


@pytest.mark.usefixtures("server")
def test_another_payer_is_wrong_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REQUEST_PAYER", "yes")
    with pytest.raises(UsageError, match="AWS_REQUEST_PAYER=yes: the only value is requester"):
        place_of("s3://bucket/thing")


@pytest.mark.usefixtures("server")
def test_amazon_itself_is_asked_to_check_the_newer_checksums(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    store = s3.S3Store("bucket", scheme="s3")
    assert store._checked == {"ChecksumAlgorithm": "SHA256"}
    assert store._client.meta.endpoint_url.endswith(".amazonaws.com")


@pytest.mark.parametrize("expected", [ABSENT, ANY], ids=["if nothing", "anyhow"])
@pytest.mark.parametrize(
    ("habit", "said"),
    [
        ("no conditions", r"the server answered 501 NotImplemented \(.*; artifacts and checkpoints need a store"),
        ("unknown conditions", r"the server answered 400 InvalidArgument \(.*; artifacts and checkpoints need a store"),
        ("no notice", "the server ignores If-None-Match; artifacts and checkpoints need a store"),
        ("no notice of versions", "the server ignores If-Match; artifacts and checkpoints need a store"),
    ],
)
def test_a_server_without_conditional_writes_is_reported_at_the_first_write(
    server: AmazonProxy, root: str, habit: str, said: str, expected: str | None
) -> None:
    server.habits.add(habit)
    owner = place_of(f"{root}/OWNER")
    with pytest.raises(NoConditionsError, match=f"^{owner}: {said}") as failure:
        owner.store.write(owner.key, b"x", expected=expected)
    assert "later" not in str(failure.value)


def test_an_artifact_is_not_started_on_such_a_server(server: AmazonProxy, root: str) -> None:
    server.habits.add("no notice")
    with pytest.raises(NoConditionsError), outgoing(f"{root}/corpus", "corpus") as directory:
        fill(directory, {"text.txt": b"text"})
    server.habits.clear()
    assert not [found.key for found in place_of(root).store.list(place_of(root).key) if found.key.endswith("text.txt")]


def test_a_server_that_heeds_conditions_is_tried_once(server: AmazonProxy, root: str) -> None:
    owner = place_of(f"{root}/OWNER")
    server.faults.clear()
    version = owner.store.write(owner.key, b"mine", expected=ABSENT)
    assert server.faults.count("^PUT ") == 3
    assert owner.store.read(owner.key) == (b"mine", version)
    owner.store.write(owner.key, b"still mine", expected=version)
    assert server.faults.count("^PUT ") == 4


def test_an_object_that_somebody_removed_meanwhile_accuses_no_server(
    server: AmazonProxy, root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = place_of(f"{root}/OWNER")
    pass_on, puts = server.pass_on, 0

    def removing(method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
        nonlocal puts
        answer = pass_on(method, path, headers, body)
        puts += method == "PUT"
        if method == "PUT" and puts == 1:
            pass_on("DELETE", path, {name: headers[name] for name in ("Host", "Authorization")}, b"")
        return answer

    monkeypatch.setattr(server, "pass_on", removing)
    owner.store.write(owner.key, b"mine", expected=ABSENT)
    assert puts == 4


@pytest.mark.parametrize(
    ("code", "status", "hint"),
    [
        ("PermanentRedirect", 301, "set AWS_REGION to the bucket's region"),
        ("AuthorizationHeaderMalformed", 400, "set AWS_REGION to the bucket's region"),
        ("RequestTimeTooSkewed", 403, "set this machine's clock"),
        ("AccessDenied", 403, "check AWS_ACCESS_KEY_ID"),
        ("RequestTimeout", 400, "try again later"),
        ("XMinioStorageFull", 507, ""),
    ],
)
def test_an_answer_comes_with_what_helps(code: str, status: int, hint: str) -> None:
    answer = {"Error": {"Code": code, "Message": "as it is."}, "ResponseMetadata": {"HTTPStatusCode": status}}
    said = explained(ClientError(answer, "PutObject"))
    assert said.startswith(f"the server answered {status} {code} (as it is" + (f"; {hint}" if hint else ")"))


def test_a_certificate_that_is_not_trusted_is_reported() -> None:
    error = SSLError(endpoint_url="https://host", error="[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate")
    assert explained(error).startswith("its certificate is not trusted")
