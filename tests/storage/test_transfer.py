"""Whole artifacts through every store: unchanged, complete or not there, and every change found out."""

import itertools
import json
import re
import threading
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from components.artifacts import manifest
from components.artifacts.errors import ArtifactError
from components.artifacts.manifest import MANIFEST_NAME, Manifest, verify, write_manifest
from components.artifacts.storage import (
    Place,
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

Tree = Mapping[str, bytes]
EXAMPLES = {"local": 60, "gs": 12, "s3": 12}
LETTERS = st.characters(exclude_categories=["C", "Zl", "Zp"], exclude_characters="/\\")
NAMES = st.text(LETTERS, min_size=1, max_size=12).filter(lambda name: name.strip(".") and name != MANIFEST_NAME)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
CONTENTS = st.binary(max_size=200) | st.sampled_from([b"", b"\r\n\r\n--==", b"\0" * 3000])
TREES = st.dictionaries(PATHS, CONTENTS, min_size=1, max_size=5)
_numbers = itertools.count()


def are_apart(tree: Tree) -> bool:
    """No name is another's directory, here or where a disk folds them."""
    folded = [unicodedata.normalize("NFKC", name).casefold() for name in tree]
    return len(set(folded)) == len(folded) and not any(
        one != other and other.startswith(f"{one}/") for one in folded for other in folded
    )


def fill(directory: Path, tree: Tree, kind: str = "corpus") -> Path:
    for name, data in tree.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    directory.mkdir(parents=True, exist_ok=True)
    write_manifest(directory, kind=kind, stage="ingest", config={"size": 1}, counts={"files": len(tree)}, made_from={})
    return directory


def tree_in(directory: Path) -> dict[str, bytes]:
    files = (path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


def keys_below(place: Place) -> list[str]:
    return sorted(listed.key[len(place.key) + 1 :] for listed in place.store.list(place.key))


def for_examples(kind: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Settings for a property of a store; buckets are slower than the disk."""
    return settings(
        max_examples=EXAMPLES[kind],
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


def test_any_tree_of_files_survives_a_push_and_a_pull(root: str, kind: str, tmp_path: Path) -> None:
    @for_examples(kind)
    @given(TREES)
    def survives(tree: Tree) -> None:
        assume(are_apart(tree))
        number = str(next(_numbers))
        source, copy, place = tmp_path / number, tmp_path / f"{number}-copy", place_of(f"{root}/{number}")
        push(fill(source, tree), place)
        pull(place, copy, "corpus")
        assert tree_in(copy) == tree_in(source)
        assert {name: data for name, data in tree_in(copy).items() if name != MANIFEST_NAME} == tree

    survives()


def flipped(data: bytes, at: int) -> bytes:
    at %= len(data)
    return data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]


def test_any_single_change_to_a_file_is_found_out_and_the_file_named(root: str, kind: str, tmp_path: Path) -> None:
    @for_examples(kind)
    @given(TREES, st.data())
    def found_out(tree: Tree, data: st.DataObject) -> None:
        tree = {name: content for name, content in tree.items() if content}
        assume(tree and are_apart(tree))
        number = str(next(_numbers))
        place = place_of(f"{root}/{number}")
        push(fill(tmp_path / number, tree), place)
        name = data.draw(st.sampled_from(sorted(tree)))
        change = data.draw(st.sampled_from(["flip", "truncate", "lengthen", "delete"]))
        at = data.draw(st.integers(0, len(tree[name]) - 1))
        key = (place / name).key
        if change == "delete":
            place.store.delete(key)
        else:
            content = tree[name]
            place.store.write(
                key, {"flip": flipped(content, at), "truncate": content[:at], "lengthen": content + b"\0"}[change]
            )
        with pytest.raises(ArtifactError) as failure:
            pull(place, tmp_path / f"{number}-copy")
        assert name in str(failure.value)

    found_out()


def resealed(directory: Path, change: Callable[[dict[str, Any]], object]) -> bytes:
    """A manifest with a change, made by somebody who knows how to make manifests."""
    values = json.loads((directory / MANIFEST_NAME).read_bytes())
    change(values)
    return manifest._rendered(Manifest.model_validate(values))


@pytest.mark.parametrize(
    "change",
    [
        lambda values: values["files"]["text.txt"].update(sha256="0" * 64),
        lambda values: values["files"]["text.txt"].update(bytes=8),
        lambda values: values["files"].update(absent=values["files"]["text.txt"]),
        lambda values: values.update(kind="dataset"),
        lambda values: values.update(schema_version=99),
    ],
    ids=["digest", "size", "file", "kind", "schema"],
)
def test_a_manifest_that_is_not_of_these_files_is_found_out(
    root: str, change: Callable[[dict[str, Any]], object], tmp_path: Path
) -> None:
    place = place_of(f"{root}/artifact")
    push(fill(tmp_path / "source", {"text.txt": b"some text"}), place)
    place.store.write((place / MANIFEST_NAME).key, resealed(tmp_path / "source", change))
    with pytest.raises(ArtifactError, match=f"{place}"), incoming(f"{root}/artifact", "corpus"):
        pytest.fail("an altered artifact came in")


def test_any_single_change_to_the_manifest_is_found_out(root: str, kind: str, tmp_path: Path) -> None:
    place, key = place_of(f"{root}/artifact"), f"{place_of(root).key}/artifact/{MANIFEST_NAME}"
    push(fill(tmp_path / "source", {"text.txt": b"some text"}), place)
    original = (tmp_path / "source" / MANIFEST_NAME).read_bytes()

    @for_examples(kind)
    @given(st.integers(0, len(original) - 1), st.sampled_from(["flip", "truncate", "lengthen", "drop"]))
    def found_out(at: int, change: str) -> None:
        changed = {
            "flip": flipped(original, at),
            "truncate": original[:at],
            "lengthen": original + b" ",
            "drop": original[:at] + original[at + 1 :],
        }
        place.store.write(key, changed[change])
        with pytest.raises(ArtifactError, match=re.escape(f"{place}/{MANIFEST_NAME}: ")):
            pull(place, tmp_path / "copy", "corpus")

    found_out()


NAMES_OUTSIDE = ["../evil", "/tmp/evil", "more/../../evil", "..", "a\0b", "..\\evil", "."]


@pytest.mark.parametrize("name", NAMES_OUTSIDE)
def test_a_manifest_with_a_name_outside_the_artifact_is_refused_and_nothing_written(
    root: str, name: str, tmp_path: Path
) -> None:
    place = place_of(f"{root}/artifact")
    source = fill(tmp_path / "source", {"text.txt": b"text"})
    data = resealed(source, lambda values: values["files"].update({name: values["files"]["text.txt"]}))
    place.store.write((place / "text.txt").key, b"text")
    place.store.write((place / MANIFEST_NAME).key, data)
    inner = tmp_path / "outer" / "inner"
    with pytest.raises(ArtifactError, match="no name inside the artifact; refused"):
        pull(place, inner)
    assert not [path for path in inner.parent.rglob("*") if path.is_file() and path.parent != inner]
    assert not any(name.endswith("evil") for name in tree_in(tmp_path))
    assert not Path("/tmp/evil").exists()


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
def test_a_pull_that_broke_off_is_no_artifact_and_goes_on(
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
        pytest.raises(ArtifactError, match="holds files that are no artifact"),
        outgoing(f"{root}/mine", "corpus") as directory,
    ):
        fill(directory, {"a": b"1"})
    found = place.store.read(place.key)
    assert found is not None
    assert found[0] == b"mine"


def test_a_missing_artifact_and_one_of_another_kind_are_told(root: str) -> None:
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
