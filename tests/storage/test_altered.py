"""Whatever files an artifact has, they arrive unchanged; and any change to one, or to the manifest, is found."""

import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from components.artifacts import manifest
from components.artifacts.errors import ArtifactError
from components.artifacts.manifest import MANIFEST_NAME, Manifest
from components.artifacts.storage import incoming, place_of, pull, push
from tests.storage.trees import TREES, Tree, are_apart, fill, flipped, for_examples, tree_in

_numbers = itertools.count()


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
    with pytest.raises(ArtifactError, match="outside the artifact; refused"):
        pull(place, inner)
    assert not [path for path in inner.parent.rglob("*") if path.is_file() and path.parent != inner]
    assert not any(name.endswith("evil") for name in tree_in(tmp_path))
    assert not Path("/tmp/evil").exists()
