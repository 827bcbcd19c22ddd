from collections.abc import Callable
from pathlib import Path

import pytest

from components.artifacts import storage
from components.artifacts.errors import ArtifactError, SourceError, UsageError
from components.artifacts.manifest import verify, write_manifest
from components.artifacts.storage import place_of

Spoil = Callable[[Path], object]


def fill(directory: Path, text: str, kind: str = "corpus") -> None:
    (directory / "text.txt").write_text(text)
    (directory / "more").mkdir()
    (directory / "more" / "shard").write_bytes(b"abc")
    write_manifest(directory, kind=kind, stage="ingest", config={}, counts={}, made_from={})


def publish(target: Path, text: str, kind: str = "corpus") -> None:
    with storage.outgoing(str(target), kind) as directory:
        fill(directory, text, kind)


def break_off(directory: Path, error: BaseException) -> None:
    fill(directory, "half")
    raise error


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("notes.txt", "notes.txt"),
        ("/data/my notes.txt", "/data/my notes.txt"),
        ("/data/50%25.txt", "/data/50%25.txt"),
        ("C:notes", "C:notes"),
        ("~/notes.txt", "/home/amy/notes.txt"),
        ("file:///data/notes.txt", "/data/notes.txt"),
        ("file://localhost/data/notes.txt", "/data/notes.txt"),
        ("file:///data/my%20gr%C3%BC%C3%9Fe%3F%23%25.txt", "/data/my grüße?#%.txt"),
        ("file:///data/chat #3?.txt", "/data/chat #3?.txt"),
    ],
)
def test_a_local_uri_names_a_path(uri: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/amy")
    assert storage.local_path(uri) == Path(path)


def test_any_path_survives_being_written_as_a_uri(tmp_path: Path) -> None:
    path = tmp_path / "a b%20c#d?e&é"
    assert storage.local_path(path.as_uri()) == path


@pytest.mark.parametrize("uri", ["file://data/notes.txt", "file://", "file://amy:hunter2@data/notes.txt"])
def test_a_file_of_another_host_is_refused_and_not_looked_for_here(uri: str) -> None:
    with pytest.raises(
        UsageError, match=r"^file://(data/notes\.txt)?: names no place on this machine; write it as"
    ) as raised:
        storage.local_path(uri)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("uri", ["http://example.org/a", "https://example.org/a"])
def test_a_remote_uri_names_no_path(uri: str) -> None:
    assert storage.local_path(uri) is None


def test_an_unknown_scheme_is_wrong_use_and_keeps_its_secrets() -> None:
    with pytest.raises(UsageError) as raised:
        storage.local_path("gopher://amy:hunter2@host/a?token=s3cret")
    assert str(raised.value).startswith("gopher://host/a: unknown scheme gopher://; use a path, file://")
    assert not any(secret in str(raised.value) for secret in ("amy", "hunter2", "s3cret"))


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("notes?.txt", "notes?.txt"),
        ("amy@host/notes#1", "amy@host/notes#1"),
        ("http://host:80/a/b", "http://host:80/a/b"),
        ("https://amy:hunter2@host:80/a?X-Signature=s3cret#s3cret", "https://host:80/a"),
        ("https://amy@host?token=s3cret", "https://host"),
        ("https://amy:hunt@er2@host/a@b", "https://host/a@b"),
        ("runs/http://amy:hunter2@host/a", "runs/http://host/a"),
        ("s3://bucket/notes #1?.txt", "s3://bucket/notes #1?.txt"),
        ("S3://amy:hunter2@bucket/a@b", "s3://bucket/a@b"),
        ("gs://amy:hunt/er2@bucket/a", "gs://bucket/a"),
        ("gs://bucket?Signature=s3cret/a", "gs://bucket"),
        ("file:///data/notes #1?sig=a", "file:///data/notes #1?sig=a"),
    ],
)
def test_what_may_be_secret_is_taken_out_of_a_uri(uri: str, shown: str) -> None:
    assert storage.redacted(uri) == shown


def test_what_was_published_comes_in_again(tmp_path: Path) -> None:
    publish(tmp_path / "new" / "my corpus", "one")
    for uri in (str(tmp_path / "new" / "my corpus"), (tmp_path / "new" / "my corpus").as_uri()):
        with storage.incoming(uri, "corpus") as directory:
            assert (directory / "text.txt").read_text() == "one"
    assert names(tmp_path / "new") == ["my corpus"]


def test_a_relative_path_is_a_place_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    publish(Path("corpus"), "one")
    with storage.incoming("corpus", "corpus") as directory:
        assert (directory / "text.txt").read_text() == "one"


def test_a_missing_artifact_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(ArtifactError, match=rf"^{tmp_path}/corpus: no manifest\.json, so no complete artifact is here$"),
        storage.incoming(str(tmp_path / "corpus"), "corpus"),
    ):
        pass


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: (path / "more" / "shard").unlink(), r"more/shard: missing, though the manifest lists it"),
        (lambda path: (path / "text.txt").write_text("on"), r"text\.txt: 2 bytes where the manifest says 3"),
        (lambda path: (path / "text.txt").write_text("onE"), r"text\.txt: its SHA-256 is not the manifest's"),
        (lambda path: (path / "manifest.json").write_text('{"sch'), r"manifest\.json: torn or not a manifest"),
        (lambda path: (path / "manifest.json").unlink(), r"corpus: no manifest\.json"),
    ],
)
def test_a_damaged_artifact_never_comes_in(tmp_path: Path, spoil: Spoil, message: str) -> None:
    publish(tmp_path / "corpus", "one")
    spoil(tmp_path / "corpus")
    with pytest.raises(ArtifactError, match=message), storage.incoming(str(tmp_path / "corpus"), "corpus"):
        pytest.fail("it came in")


def test_an_artifact_of_another_kind_never_comes_in(tmp_path: Path) -> None:
    publish(tmp_path / "model", "one", kind="model")
    with (
        pytest.raises(ArtifactError, match="this is a model artifact, where a corpus is needed"),
        storage.incoming(str(tmp_path / "model"), "corpus"),
    ):
        pytest.fail("it came in")


def test_nothing_shows_before_the_block_has_ended(tmp_path: Path) -> None:
    with storage.outgoing(str(tmp_path / "corpus"), "corpus") as directory:
        fill(directory, "one")
        assert not (tmp_path / "corpus").exists()
        assert directory.parent == tmp_path  # the same disk, so that a rename publishes it
    assert names(tmp_path) == ["corpus"]
    verify(tmp_path / "corpus", "corpus")


def test_the_old_artifact_stands_until_the_new_one_is_complete(tmp_path: Path) -> None:
    publish(tmp_path / "corpus", "old")
    with storage.outgoing(str(tmp_path / "corpus"), "corpus") as directory:
        fill(directory, "new")
        assert (tmp_path / "corpus" / "text.txt").read_text() == "old"
    assert names(tmp_path) == ["corpus"]
    assert names(tmp_path / "corpus") == ["manifest.json", "more", "text.txt"]
    assert (tmp_path / "corpus" / "text.txt").read_text() == "new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_in_the_block_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), storage.outgoing(str(tmp_path / "corpus"), "corpus") as directory:
        break_off(directory, error())
    assert names(tmp_path) == []


def test_an_error_in_the_block_leaves_the_old_artifact_as_it_was(tmp_path: Path) -> None:
    publish(tmp_path / "corpus", "old")
    with pytest.raises(ValueError, match="broken"), storage.outgoing(str(tmp_path / "corpus"), "corpus") as directory:
        break_off(directory, ValueError("broken"))
    assert names(tmp_path) == ["corpus"]
    verify(tmp_path / "corpus", "corpus")
    assert (tmp_path / "corpus" / "text.txt").read_text() == "old"


def test_nothing_is_published_without_a_manifest(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match=r"nothing wrote the manifest of .*/corpus"),
        storage.outgoing(str(tmp_path / "corpus"), "corpus") as directory,
    ):
        (directory / "text.txt").write_text("one")
    assert names(tmp_path) == []


def test_a_directory_that_is_no_artifact_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.doc").write_text("precious")
    with (
        pytest.raises(ArtifactError, match=r"/home: holds files that are no artifact; choose another place"),
        storage.outgoing(str(tmp_path / "home"), "corpus"),
    ):
        pytest.fail("it may not be filled")
    assert names(tmp_path) == ["home"]
    assert (tmp_path / "home" / "thesis.doc").read_text() == "precious"


def test_a_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("precious")
    with (
        pytest.raises(ArtifactError, match=r"/thesis\.doc: is a file; an artifact is a directory"),
        storage.outgoing(str(tmp_path / "thesis.doc"), "corpus"),
    ):
        pytest.fail("it may not be filled")
    assert names(tmp_path) == ["thesis.doc"]
    assert (tmp_path / "thesis.doc").read_text() == "precious"


def test_an_empty_directory_may_become_an_artifact(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    publish(tmp_path / "corpus", "one")
    verify(tmp_path / "corpus", "corpus")


@pytest.mark.parametrize(
    ("uri", "above"),
    [("/a/b", "/a"), ("/a", "/"), ("/", "/"), ("s3://b/x/y", "s3://b/x"), ("s3://b/x", "s3://b"), ("s3://b", "s3://b")],
)
def test_the_place_above_is_in_the_same_store(uri: str, above: str) -> None:
    assert str(place_of(uri).above) == above


def test_artifacts_are_not_kept_at_http(tmp_path: Path) -> None:
    uri = "https://amy:hunter2@host/corpus?token=s3cret"
    for use in (storage.outgoing(uri, "corpus"), storage.incoming(uri, "corpus")):
        with (
            pytest.raises(UsageError, match=r"^https://host/corpus: artifacts can't be kept at http\(s\); use a path"),
            use,
        ):
            pytest.fail("it may not be used")
    assert names(tmp_path) == []


def test_a_small_file_is_written_whole_in_place_of_another(tmp_path: Path) -> None:
    for data in (b"first", b"", b"second"):
        storage.write_file((tmp_path / "the file").as_uri(), data)
        assert (tmp_path / "the file").read_bytes() == data
        assert names(tmp_path) == ["the file"]


def test_a_small_file_that_can_not_be_written_leaves_the_old_one_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.write_file(str(tmp_path / "file"), b"old")

    def full(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(storage.StorageError, match="No space left on device"):
        storage.write_file(str(tmp_path / "file"), b"new")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_children_are_the_directories_right_below_in_order(tmp_path: Path) -> None:
    for name in ("20/deeper", "3", "100"):
        (tmp_path / "checkpoints" / name).mkdir(parents=True)
    (tmp_path / "checkpoints" / "LATEST").write_text("3")
    assert storage.children(str(tmp_path / "checkpoints")) == ["100", "20", "3"]


def test_there_are_no_children_where_there_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert storage.children(str(tmp_path / "missing")) == storage.children(str(tmp_path / "file")) == []


FILES = ("text.txt", "more/shard", "manifest.json")


def test_removing_takes_the_named_files_and_the_directories_that_are_empty_then(tmp_path: Path) -> None:
    publish(tmp_path / "one", "one")
    publish(tmp_path / "other", "other")
    storage.remove(str(tmp_path / "one"), FILES)
    assert names(tmp_path) == ["other"]
    storage.remove(str(tmp_path / "one"), FILES)
    verify(tmp_path / "other", "corpus")


def test_removing_takes_the_manifest_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tmp_path / "corpus", "one")
    unlink = Path.unlink

    def killed_after_one(path: Path, **options: bool) -> None:
        unlink(path, **options)
        if path.name in FILES:
            raise KeyboardInterrupt

    monkeypatch.setattr(Path, "unlink", killed_after_one)
    with pytest.raises(KeyboardInterrupt):
        storage.remove(str(tmp_path / "corpus"), FILES)
    assert names(tmp_path / "corpus") == ["more", "text.txt"]


def test_removing_leaves_what_links_lead_to(tmp_path: Path) -> None:
    publish(tmp_path / "elsewhere", "mine")
    publish(tmp_path / "corpus", "one")
    (tmp_path / "corpus" / "more" / "shard").rename(tmp_path / "shard")
    (tmp_path / "corpus" / "more").rmdir()
    (tmp_path / "corpus" / "more").symlink_to(tmp_path / "elsewhere" / "more")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("corpus", "link"):
        storage.remove(str(tmp_path / name), FILES)
    verify(tmp_path / "elsewhere", "corpus")
    assert names(tmp_path) == ["corpus", "elsewhere", "shard"]


def test_a_local_source_is_read_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "my notes.txt").write_text("one")
    for uri in (str(tmp_path / "my notes.txt"), (tmp_path / "my notes.txt").as_uri()):
        with storage.source_file(uri, tmp_path / "scratch", maximum_bytes=100) as path:
            assert path == tmp_path / "my notes.txt"


@pytest.mark.parametrize(("name", "reason"), [("missing", "no such file"), ("", "is a directory, name a file")])
def test_a_source_that_is_no_file_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    path = tmp_path / name
    with (
        pytest.raises(SourceError, match=f"^{path}: {reason}$"),
        storage.source_file(str(path), tmp_path, maximum_bytes=100),
    ):
        pytest.fail("it may not be read")
