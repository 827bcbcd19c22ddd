"""What every store promises, shown for each."""

import secrets
import threading
from pathlib import Path

import pytest

from components.artifacts.errors import UsageError
from components.artifacts.storage import ABSENT, ConflictError, Place, StorageError, place_of
from tests.storage import servers
from tests.storage.google import GcsProxy

NAMES = ("plain", "with space", "ünïcødé-日本", "100%25", "what?", "a#b", "a+b&c=d", "deep/er/name", "per%2Fcent")


def test_an_object_is_read_as_written_and_nothing_is_there_before(at: Place) -> None:
    place = at / "thing.bin"
    data = secrets.token_bytes(10_000) + b"\r\n\n\r\0--boundary--\r\n"
    assert place.store.read(place.key) is None
    version = place.store.write(place.key, data)
    assert place.store.read(place.key) == (data, version)


def test_each_write_of_other_bytes_makes_a_new_version(at: Place) -> None:
    place = at / "thing"
    versions = {place.store.write(place.key, str(n).encode()) for n in range(4)}
    assert len(versions) == 4
    found = place.store.read(place.key)
    assert found is not None
    assert found[0] == b"3"
    assert found[1] in versions


def test_a_version_is_reported_without_the_bytes(at: Place) -> None:
    place = at / "thing"
    assert place.store.version(place.key) is None
    for data in (b"first", b"second"):
        written = place.store.write(place.key, data)
        assert place.store.version(place.key) == written


def test_a_write_that_expects_nothing_is_refused_where_something_is(at: Place) -> None:
    place = at / "thing"
    place.store.write(place.key, b"first", expected=ABSENT)
    with pytest.raises(ConflictError, match="thing: another process has written it"):
        place.store.write(place.key, b"second", expected=ABSENT)
    found = place.store.read(place.key)
    assert found is not None
    assert found[0] == b"first"


def test_a_write_that_expects_a_version_is_refused_where_another_or_nothing_is(at: Place) -> None:
    place = at / "thing"
    first = place.store.write(place.key, b"first")
    second = place.store.write(place.key, b"second", expected=first)
    with pytest.raises(ConflictError):
        place.store.write(place.key, b"third", expected=first)
    assert place.store.read(place.key) == (b"second", second)
    place.store.delete(place.key)
    with pytest.raises(ConflictError):
        place.store.write(place.key, b"third", expected=second)
    assert place.store.read(place.key) is None


def test_eight_threads_that_count_by_compare_and_swap_lose_no_count(at: Place) -> None:
    place, each = at / "counter", 5
    place.store.write(place.key, b"0")
    failures: list[BaseException] = []

    def count() -> None:
        try:
            done = 0
            while done < each:
                found = place.store.read(place.key)
                assert found is not None
                try:
                    place.store.write(place.key, str(int(found[0]) + 1).encode(), expected=found[1])
                except ConflictError:
                    continue
                done += 1
        except BaseException as error:  # noqa: BLE001 -- shown below
            failures.append(error)

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures
    found = place.store.read(place.key)
    assert found is not None
    assert found[0] == str(8 * each).encode()


def test_eight_threads_that_create_one_object_agree_on_a_winner(at: Place) -> None:
    place, won = at / "owner", []
    start = threading.Barrier(8)

    def create(number: int) -> None:
        start.wait(10)
        try:
            place.store.write(place.key, str(number).encode(), expected=ABSENT)
        except ConflictError:
            return
        won.append(str(number).encode())

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    found = place.store.read(place.key)
    assert found is not None
    assert won == [found[0]]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_goes(at: Place, name: str, tmp_path: Path) -> None:
    place = at / name
    version = place.store.write(place.key, name.encode(), expected=ABSENT)
    assert place.store.read(place.key) == (name.encode(), version)
    assert [listed.key for listed in at.store.list(at.key)] == [place.key]
    place.store.download(place.key, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == name.encode()
    place.store.delete(place.key)
    assert list(at.store.list(at.key)) == []


@pytest.mark.parametrize("size", [0, 1, 20_000_000])
def test_files_of_any_size_travel_unchanged(at: Place, size: int, tmp_path: Path) -> None:
    source, copy, place = tmp_path / "source", tmp_path / "copy", at / "file"
    source.write_bytes(secrets.token_bytes(size))
    place.store.upload(source, place.key)
    place.store.download(place.key, copy)
    assert copy.read_bytes() == source.read_bytes()
    assert [(listed.key, listed.size) for listed in at.store.list(at.key)] == [(place.key, size)]


def test_an_upload_replaces_what_is_there(at: Place, tmp_path: Path) -> None:
    place, source = at / "file", tmp_path / "source"
    for text in ("old, and longer", "new"):
        source.write_text(text)
        place.store.upload(source, place.key)
    found = place.store.read(place.key)
    assert found is not None
    assert found[0] == b"new"


def test_a_missing_object_is_not_found_and_leaves_no_file(at: Place, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        at.store.download((at / "missing").key, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_deleting_twice_is_as_good_as_once(at: Place) -> None:
    place = at / "thing"
    place.store.write(place.key, b"x")
    place.store.delete(place.key)
    place.store.delete(place.key)
    assert place.store.read(place.key) is None


def test_a_listing_shows_what_is_below_a_directory_and_not_what_begins_alike(at: Place) -> None:
    for name in ("run/a", "run/b/c", "run-2/a", "runs"):
        at.store.write((at / name).key, b"12345")
    listed = list(at.store.list((at / "run").key))
    assert sorted(found.key for found in listed) == [(at / "run/a").key, (at / "run/b/c").key]
    assert {found.size for found in listed} == {5}
    assert all(found.updated > 1.7e9 for found in listed)
    assert list(at.store.list((at / "nothing").key)) == []


def test_a_listing_continues_over_pages(at: Place, google: GcsProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(google, "page", 3)
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "3")
    keys = [(at / f"file-{n}").key for n in range(8)]
    for key in keys:
        at.store.write(key, b"")
    assert sorted(listed.key for listed in at.store.list(at.key)) == keys


@pytest.mark.parametrize("kind", ["gs", "s3"])
def test_what_stands_for_a_directory_in_a_bucket_is_no_object_of_a_listing(at: Place) -> None:
    at.store.write(f"{at.key}/", b"")
    at.store.write((at / "file").key, b"")
    assert [listed.key for listed in at.store.list(at.key)] == [(at / "file").key]


@pytest.mark.parametrize("kind", ["gs", "s3"])
def test_a_missing_bucket_is_distinguished_from_a_missing_object(root: str, kind: str, tmp_path: Path) -> None:
    assert root
    place = place_of(f"{kind}://no-such-bucket/some/key")
    source = tmp_path / "source"
    source.write_text("text")
    for use in (
        lambda: place.store.read(place.key),
        lambda: place.store.write(place.key, b"x"),
        lambda: place.store.write(place.key, b"x", expected=ABSENT),
        lambda: place.store.upload(source, place.key),
        lambda: place.store.download(place.key, tmp_path / "copy"),
        lambda: list(place.store.list(place.key)),
    ):
        with pytest.raises(StorageError, match=f"{kind}://no-such-bucket/some/key.*404.*bucket") as failure:
            use()
        assert "\n" not in str(failure.value)


def test_minio_is_s3_with_an_endpoint(amazon: servers.Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in amazon.environment.items():
        monkeypatch.setenv(name, value)
    amazon.make_bucket("minio-bucket")
    place = place_of("minio://minio-bucket/thing")
    place.store.write(place.key, b"x", expected=ABSENT)
    assert str(place) == "minio://minio-bucket/thing"
    assert [listed.key for listed in place.store.list("")] == ["thing"]


@pytest.mark.usefixtures("fresh_clients")
def test_minio_without_an_endpoint_is_wrong_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with pytest.raises(UsageError, match="minio://bucket: set AWS_ENDPOINT_URL_S3 to the server's address"):
        place_of("minio://bucket/thing")


@pytest.mark.usefixtures("fresh_clients")
@pytest.mark.parametrize("address", ["localhost:9000", "ftp://host", "http://"])
def test_an_endpoint_that_is_no_address_is_wrong_use(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", address)
    with pytest.raises(UsageError, match="AWS_ENDPOINT_URL_S3: not a server's address"):
        place_of("s3://bucket/thing")
