"""URIs and the local store: what is published comes in again, and what is not ours stays."""

from collections.abc import Callable
from pathlib import Path

import pytest

from components.artifacts import storage
from components.artifacts.errors import ArtifactError, UsageError
from components.artifacts.manifest import verify
from components.artifacts.storage import place_of
from tests.unit.artifacts.storage.published import fill, names, publish

Damage = Callable[[Path], object]


def break_off(directory: Path, error: BaseException) -> None:
    fill(directory, "half")
    raise error


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
        pytest.raises(
            ArtifactError, match=rf"^{tmp_path}/corpus: no manifest\.json, so there is no complete artifact here$"
        ),
        storage.incoming(str(tmp_path / "corpus"), "corpus"),
    ):
        pass


@pytest.mark.parametrize(
    ("damage_it", "message"),
    [
        (lambda path: (path / "more" / "shard").unlink(), r"more/shard: missing, though the manifest lists it"),
        (lambda path: (path / "text.txt").write_text("on"), r"text\.txt: 2 bytes where the manifest says 3"),
        (lambda path: (path / "text.txt").write_text("onE"), r"text\.txt: its SHA-256 is not the manifest's"),
        (lambda path: (path / "manifest.json").write_text('{"sch'), r"manifest\.json: incomplete or not a manifest"),
        (lambda path: (path / "manifest.json").unlink(), r"corpus: no manifest\.json"),
    ],
)
def test_a_damaged_artifact_never_comes_in(tmp_path: Path, damage_it: Damage, message: str) -> None:
    publish(tmp_path / "corpus", "one")
    damage_it(tmp_path / "corpus")
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


def test_the_old_artifact_stays_until_the_new_one_is_complete(tmp_path: Path) -> None:
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
        pytest.raises(ArtifactError, match=r"/home: holds files that are not an artifact; choose another place"),
        storage.outgoing(str(tmp_path / "home"), "corpus"),
    ):
        pytest.fail("it may not be filled")
    assert names(tmp_path) == ["home"]
    assert (tmp_path / "home" / "thesis.doc").read_text() == "precious"


def test_a_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("precious")
    with (
        pytest.raises(ArtifactError, match=r"/thesis\.doc: is a file, but an artifact is a directory"),
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
            pytest.raises(
                UsageError, match=r"^https://host/corpus: artifacts can't be stored at http\(s\); use a path"
            ),
            use,
        ):
            pytest.fail("it may not be used")
    assert names(tmp_path) == []


def test_children_are_the_directories_right_below_in_order(tmp_path: Path) -> None:
    for name in ("20/deeper", "3", "100"):
        (tmp_path / "checkpoints" / name).mkdir(parents=True)
    (tmp_path / "checkpoints" / "LATEST").write_text("3")
    assert storage.children(str(tmp_path / "checkpoints")) == ["100", "20", "3"]


def test_there_are_no_children_where_there_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert storage.children(str(tmp_path / "missing")) == storage.children(str(tmp_path / "file")) == []
