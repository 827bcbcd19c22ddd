"""Whole artifacts go through every store: complete or not there, and only what is missing is fetched."""

import threading
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.errors import ArtifactError
from components.artifacts.manifest import MANIFEST_NAME, verify
from components.artifacts.storage import (
    StorageError,
    children,
    incoming,
    outgoing,
    place_of,
    pull,
    push,
    remove,
)
from tests.storage import servers
from tests.storage.trees import fill, flipped, keys_below, tree_in


@pytest.fixture
def downloads(root: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are fetched, as they are."""
    fetched: list[str] = []
    store = type(place_of(root).store)
    original, lock = store.download, threading.Lock()

    def counted(self: Any, key: str, path: Path) -> None:
        with lock:
            fetched.append(key.rpartition("/")[2])
        original(self, key, path)

    monkeypatch.setattr(store, "download", counted)
    return fetched


def test_a_pull_fetches_only_what_is_not_there_as_listed(root: str, downloads: list[str], tmp_path: Path) -> None:
    place, copy = place_of(f"{root}/artifact"), tmp_path / "copy"
    tree = {f"file-{n}": str(n).encode() * 1000 for n in range(5)}
    push(fill(tmp_path / "source", tree), place)
    pull(place, copy)
    assert sorted(downloads) == sorted(tree)
    downloads.clear()
    pull(place, copy)
    assert downloads == []
    (copy / "file-1").write_bytes(tree["file-1"][:-1])
    (copy / "file-2").write_bytes(flipped(tree["file-2"], 7))
    (copy / "file-3").unlink()
    (copy / ".file-3.partial").write_bytes(tree["file-3"][:10])
    (copy / MANIFEST_NAME).rename(copy / f".{MANIFEST_NAME}.partial")
    pull(place, copy)
    assert sorted(downloads) == ["file-1", "file-2", "file-3"]
    assert tree_in(copy) == tree_in(tmp_path / "source")


@pytest.mark.parametrize("kind", ["gs", "s3"])
def test_a_pull_that_broke_off_is_no_artifact_and_is_continued(
    root: str, faults: servers.Faults, downloads: list[str], tmp_path: Path
) -> None:
    place, copy = place_of(f"{root}/artifact"), tmp_path / "copy"
    tree = {f"file-{n:02}": str(n).encode() * 1000 for n in range(20)}
    push(fill(tmp_path / "source", tree), place)
    faults.add("403", r"GET .*file-15")
    with pytest.raises(StorageError, match=r"file-15: .*403"):
        pull(place, copy)
    with pytest.raises(ArtifactError, match=f"no {MANIFEST_NAME}"):
        verify(copy)
    arrived = {name for name in tree_in(copy) if not name.startswith(".")}
    assert 0 < len(arrived) < 20
    downloads.clear()
    pull(place, copy)
    assert set(downloads) == set(tree) - arrived
    assert tree_in(copy) == tree_in(tmp_path / "source")


@pytest.mark.parametrize("kind", ["gs", "s3"])
@pytest.mark.parametrize("name", ["file-0", "file-2", MANIFEST_NAME])
def test_a_push_that_broke_off_shows_nothing_and_the_next_one_succeeds(
    root: str, faults: servers.Faults, name: str
) -> None:
    place, tree = place_of(f"{root}/artifact"), {f"file-{n}": str(n).encode() * 1000 for n in range(4)}
    faults.add("403", f"^(PUT|POST) .*/{name}$")
    with (
        pytest.raises(StorageError, match=f"{place}/{name}: .*403"),
        outgoing(f"{root}/artifact", "corpus") as directory,
    ):
        fill(directory, tree)
    assert keys_below(place), "it broke off before anything was there"
    with pytest.raises(ArtifactError, match=f"no {MANIFEST_NAME}"), incoming(f"{root}/artifact", "corpus"):
        pytest.fail("half an artifact came in")
    with outgoing(f"{root}/artifact", "corpus") as directory:
        fill(directory, {"file-0": b"other"})
    with incoming(f"{root}/artifact", "corpus") as directory:
        assert set(tree_in(directory)) == {"file-0", MANIFEST_NAME}
    assert keys_below(place) == ["file-0", MANIFEST_NAME]


def test_what_goes_out_comes_in_again_with_its_progress(root: str, kind: str) -> None:
    seen: list[tuple[int, int]] = []
    tree = {"text.txt": b"some text", "more/report.html": b"<p>", "empty": b""}
    with outgoing(f"{root}/artifact", "corpus", lambda *step: seen.append(step)) as directory:
        fill(directory, tree)
    with incoming(f"{root}/artifact", "corpus", lambda *step: seen.append(step)) as directory:
        assert {name: data for name, data in tree_in(directory).items() if name != MANIFEST_NAME} == tree
    transfers = 0 if kind == "local" else 2
    assert [step for step in seen if step[0] == step[1]].count((12, 12)) >= transfers
    assert seen == sorted(seen[:3]) + sorted(seen[3:])
    assert len(seen) == 3 * transfers


def test_a_new_artifact_replaces_the_one_before_and_nothing_of_it_stays(root: str) -> None:
    place = place_of(f"{root}/artifact")
    for tree in ({"a": b"1", "b/c": b"2"}, {"a": b"3", "d": b"4"}):
        with outgoing(f"{root}/artifact", "corpus") as directory:
            fill(directory, tree)
        with incoming(f"{root}/artifact", "corpus") as directory:
            assert {name: data for name, data in tree_in(directory).items() if name != MANIFEST_NAME} == tree
        assert keys_below(place) == sorted([*tree, MANIFEST_NAME])


def test_a_block_that_fails_leaves_the_artifact_before_as_it_was(root: str) -> None:
    with outgoing(f"{root}/artifact", "corpus") as directory:
        fill(directory, {"a": b"1"})
    with (
        pytest.raises(RuntimeError, match="nothing wrote the manifest"),
        outgoing(f"{root}/artifact", "corpus") as directory,
    ):
        (directory / "a").write_bytes(b"2")
    with incoming(f"{root}/artifact", "corpus") as directory:
        assert (directory / "a").read_bytes() == b"1"


def test_files_that_are_no_artifact_are_never_overwritten(root: str) -> None:
    place = place_of(f"{root}/mine") / "notes.txt"
    place.store.write(place.key, b"mine")
    with (
        pytest.raises(ArtifactError, match="holds files that are not an artifact"),
        outgoing(f"{root}/mine", "corpus") as directory,
    ):
        fill(directory, {"a": b"1"})
    found = place.store.read(place.key)
    assert found is not None
    assert found[0] == b"mine"


def test_a_missing_artifact_and_one_of_another_kind_are_reported(root: str) -> None:
    with (
        pytest.raises(ArtifactError, match=f"{root}/artifact: no {MANIFEST_NAME}"),
        incoming(f"{root}/artifact", "corpus"),
    ):
        pytest.fail("nothing came in")
    with outgoing(f"{root}/artifact", "model") as directory:
        fill(directory, {"a": b"1"}, kind="model")
    with pytest.raises(ArtifactError, match="this is a model artifact"), incoming(f"{root}/artifact", "corpus"):
        pytest.fail("a model came in as a corpus")


def test_children_are_the_directories_right_below_and_remove_takes_the_files_it_is_given(root: str) -> None:
    for name in ("run-1/corpus", "run-1/model", "run-2/corpus"):
        with outgoing(f"{root}/runs/{name}", "corpus") as directory:
            fill(directory, {"deep/er/file": b"1"})
    assert children(f"{root}/runs") == ["run-1", "run-2"]
    assert children(f"{root}/runs/run-1") == ["corpus", "model"]
    assert children(f"{root}/nothing") == []
    place_of(root).store.write((place_of(root) / "runs/run-1/model/deep/notes.txt").key, b"mine")
    for kind in ("corpus", "model"):
        remove(f"{root}/runs/run-1/{kind}", ["deep/er/file", MANIFEST_NAME])
    assert keys_below(place_of(f"{root}/runs/run-1")) == ["model/deep/notes.txt"]
    assert children(f"{root}/runs/run-1") == ["model"]
    assert keys_below(place_of(f"{root}/runs/run-2")) == ["corpus/deep/er/file", f"corpus/{MANIFEST_NAME}"]
