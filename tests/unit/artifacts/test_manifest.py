"""A manifest lists an artifact's files, and no change to them or to itself goes unseen."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.artifacts import manifest
from components.artifacts.errors import ArtifactError
from components.artifacts.manifest import MANIFEST_NAME, Manifest, digest, read_manifest, verify, write_manifest
from components.artifacts.pace import Pace
from components.artifacts.version import VERSION

ENDINGS = st.text("aé0 ._-", max_size=6)
NAMES = st.builds(
    lambda folders, name: "/".join([*(f"d{folder}" for folder in folders), f"f{name}"]),
    st.lists(ENDINGS, max_size=2),
    ENDINGS,
)
TREES = st.dictionaries(NAMES, st.binary(max_size=24), min_size=1, max_size=5)


def artifact(directory: Path, tree: Mapping[str, bytes]) -> Manifest:
    for name, data in tree.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return write_manifest(
        directory,
        kind="corpus",
        stage="ingest",
        config={"lowercase": True, "first_fraction": 0.2},
        counts={"characters": 3},
        made_from={"source": "ab" * 32},
    )


def edited(directory: Path, **changes: Any) -> Path:
    path = directory / MANIFEST_NAME
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **changes}))
    return path


def test_a_manifest_says_what_the_artifact_is_and_holds(tmp_path: Path) -> None:
    written = artifact(tmp_path, {"text.txt": b"abc", "more/page.html": b""})
    read = read_manifest(tmp_path, "corpus")
    assert read == written
    assert read.model_dump(exclude={"seal"}) == {
        "schema_version": 1,
        "kind": "corpus",
        "producer": {"stage": "ingest", "version": VERSION},
        "config": {"lowercase": True, "first_fraction": 0.2},
        "counts": {"characters": 3},
        "files": {
            "more/page.html": {"bytes": 0, "sha256": hashlib.sha256(b"").hexdigest()},
            "text.txt": {"bytes": 3, "sha256": hashlib.sha256(b"abc").hexdigest()},
        },
        "made_from": {"source": "ab" * 32},
    }


@given(tree=TREES)
@settings(max_examples=50, deadline=None)
def test_any_tree_of_files_survives(tmp_path_factory: pytest.TempPathFactory, tree: dict[str, bytes]) -> None:
    directory = tmp_path_factory.mktemp("tree")
    written = artifact(directory, tree)
    assert set(written.files) == set(tree)
    assert verify(directory, "corpus") == written


@given(data=st.data(), tree=TREES)
@settings(max_examples=150, deadline=None)
def test_any_change_to_any_file_is_detected_and_names_it(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, tree: dict[str, bytes]
) -> None:
    directory = tmp_path_factory.mktemp("tree")
    artifact(directory, tree)
    name = data.draw(st.sampled_from(sorted(tree)))
    before, path = tree[name], directory / name
    change = data.draw(st.sampled_from(["add", "delete", "rename", *(["flip", "truncate"] if before else [])]))
    match change:
        case "flip":
            place = data.draw(st.integers(0, len(before) - 1))
            flipped = before[place] ^ data.draw(st.integers(1, 255))
            path.write_bytes(before[:place] + bytes([flipped]) + before[place + 1 :])
        case "truncate":
            path.write_bytes(before[: data.draw(st.integers(0, len(before) - 1))])
        case "add":
            path.write_bytes(before + data.draw(st.binary(min_size=1, max_size=3)))
        case "delete":
            path.unlink()
        case "rename":
            path.rename(path.with_name("gone"))
    with pytest.raises(ArtifactError) as raised:
        verify(directory, "corpus")
    assert str(raised.value).startswith(f"{path}: ")


@pytest.mark.parametrize("name", ["notes.txt", ".hidden", "more/train-00001.tfrecord", "link"])
def test_a_file_that_the_manifest_does_not_list_is_refused_by_name(tmp_path: Path, name: str) -> None:
    artifact(tmp_path, {"text.txt": b"abc", "more/page.html": b""})
    if name == "link":
        (tmp_path / name).symlink_to("/nowhere")
    else:
        (tmp_path / name).write_text("mine")
    with pytest.raises(ArtifactError) as raised:
        verify(tmp_path)
    assert str(raised.value) == f"{tmp_path / name}: the manifest does not list it; move it elsewhere"


def test_what_a_store_keeps_while_it_writes_is_not_foreign(tmp_path: Path) -> None:
    artifact(tmp_path, {"text.txt": b"abc"})
    for name in (".text.txt.lock", ".text.txt.0123abcd.partial"):
        (tmp_path / name).touch()
    verify(tmp_path)


def test_a_manifest_that_lists_no_files_is_refused(tmp_path: Path) -> None:
    artifact(tmp_path, {})
    with pytest.raises(ArtifactError, match=r"manifest\.json: it lists no files; re-run"):
        read_manifest(tmp_path)


def test_reading_alone_does_not_look_at_the_files(tmp_path: Path) -> None:
    written = artifact(tmp_path, {"text.txt": b"abc"})
    (tmp_path / "text.txt").unlink()
    assert read_manifest(tmp_path) == written


def test_the_same_content_gives_the_same_bytes_in_whatever_order_it_was_made(tmp_path: Path) -> None:
    tree = {"b": b"2", "a/c": b"3", "a/b": b"1"}
    for name, order in (("one", sorted(tree)), ("two", sorted(tree, reverse=True))):
        artifact(tmp_path / name, {key: tree[key] for key in order})
    assert (tmp_path / "one" / MANIFEST_NAME).read_bytes() == (tmp_path / "two" / MANIFEST_NAME).read_bytes()


def test_the_digest_is_the_sha256_of_the_manifest(tmp_path: Path) -> None:
    artifact(tmp_path, {"text.txt": b"abc"})
    assert digest(tmp_path) == hashlib.sha256((tmp_path / "manifest.json").read_bytes()).hexdigest()


def test_writing_again_does_not_list_the_manifest_itself(tmp_path: Path) -> None:
    first = artifact(tmp_path, {"text.txt": b"abc"})
    assert artifact(tmp_path, {}) == first
    assert set(first.files) == {"text.txt"}


def test_a_newer_schema_says_so(tmp_path: Path) -> None:
    artifact(tmp_path, {"text.txt": b"abc"})
    path = edited(tmp_path, schema_version=2, something_new={})
    with pytest.raises(ArtifactError, match=r"schema version 2 is newer than 1, .*use a newer Quillflow") as raised:
        verify(tmp_path)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize("version", ["2", 2.0, None, True, []])
def test_a_schema_version_that_is_no_integer_is_refused(tmp_path: Path, version: object) -> None:
    artifact(tmp_path, {"text.txt": b"abc"})
    edited(tmp_path, schema_version=version)
    with pytest.raises(ArtifactError, match=r"not a Quillflow manifest \(schema_version: "):
        read_manifest(tmp_path)


def test_a_incomplete_manifest_is_refused_wherever_it_is_incomplete(tmp_path: Path) -> None:
    artifact(tmp_path, {"text.txt": b"abc"})
    path = tmp_path / MANIFEST_NAME
    whole = path.read_bytes().rstrip()
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        with pytest.raises(ArtifactError, match="incomplete or not a manifest") as raised:
            read_manifest(tmp_path)
        assert str(path) in str(raised.value)


@pytest.mark.parametrize("text", [b"\xff\xfe\xfd", b"[" * 100_000], ids=["not UTF-8", "nested too deep"])
def test_what_is_no_json_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / MANIFEST_NAME).write_bytes(text)
    with pytest.raises(ArtifactError, match="incomplete or not a manifest"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("text", ["[]", "3", "null", '"manifest"'])
def test_json_that_is_no_object_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST_NAME).write_text(text)
    with pytest.raises(ArtifactError, match=r"not a Quillflow manifest \(the whole: "):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"comment": "hello"}, "comment"),
        ({"files": {"text.txt": {"bytes": 3, "sha256": "", "mode": 7}}}, "files.text.txt.mode"),
        ({"files": {"text.txt": {"bytes": "3", "sha256": ""}}}, "files.text.txt.bytes"),
        ({"counts": {"characters": "many"}}, "counts.characters"),
        ({"producer": {"stage": "ingest"}}, "producer.version"),
        ({"kind": None}, "kind"),
    ],
)
def test_unknown_and_wrong_fields_are_refused_by_name(tmp_path: Path, changes: dict[str, Any], field: str) -> None:
    artifact(tmp_path, {"text.txt": b"abc"})
    path = edited(tmp_path, **changes)
    with pytest.raises(ArtifactError) as raised:
        read_manifest(tmp_path)
    assert str(raised.value).startswith(f"{path}: not a Quillflow manifest ({field}: ")


def test_a_file_that_goes_away_while_it_is_verified_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    artifact(tmp_path, {"text.txt": b"abc"})
    sha256_of = manifest.file_sha256

    def taken_away(path: Path, pace: Pace) -> str:
        path.unlink()
        return sha256_of(path, pace)

    monkeypatch.setattr(manifest, "file_sha256", taken_away)
    with pytest.raises(ArtifactError, match=f"^{tmp_path}/text.txt: disappeared while it was read; "):
        verify(tmp_path)


def test_a_missing_field_is_refused_by_name(tmp_path: Path) -> None:
    artifact(tmp_path, {"text.txt": b"abc"})
    path = tmp_path / MANIFEST_NAME
    values = json.loads(path.read_bytes())
    del values["made_from"]
    path.write_text(json.dumps(values))
    with pytest.raises(ArtifactError, match="made_from: field required"):
        read_manifest(tmp_path)


def test_another_kind_is_refused(tmp_path: Path) -> None:
    artifact(tmp_path, {"text.txt": b"abc"})
    with pytest.raises(ArtifactError, match="this is a corpus artifact, where a model is needed"):
        verify(tmp_path, "model")


@pytest.mark.parametrize("place", ["", "nowhere", "file"], ids=["empty", "no directory", "a file"])
def test_where_no_manifest_is_no_artifact_is(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("text")
    with pytest.raises(ArtifactError, match=r"no manifest\.json, so there is no complete artifact here") as raised:
        read_manifest(tmp_path / place)
    assert str(tmp_path / place) in str(raised.value)


@pytest.mark.parametrize(
    "name", ["../other", "a/../../b", "..", "/etc/passwd", "//host/x", "a\0b", "a\\b", "..\\b", "", ".", "./"]
)
def test_names_that_reach_outside_are_refused(tmp_path: Path, name: str) -> None:
    artifact(tmp_path, {"text.txt": b"abc"})
    path = edited(tmp_path, files={name: {"bytes": 0, "sha256": ""}})
    with pytest.raises(ArtifactError) as raised:
        read_manifest(tmp_path)
    assert str(raised.value) == f"{path}: it lists {name!r}, which is outside the artifact; refused"


@given(place=st.floats(0, 0.999), change=st.sampled_from(["flip", "cut", "add"]), bit=st.integers(0, 7))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_change_to_the_manifest_itself_is_detected(tmp_path: Path, place: float, change: str, bit: int) -> None:
    artifact(tmp_path, {"text.txt": b"abc"})
    path = tmp_path / MANIFEST_NAME
    data = bytearray(path.read_bytes())
    index = int(place * len(data))
    if change == "flip":
        data[index] ^= 1 << bit
    elif change == "cut":
        del data[index:]
    else:
        data.insert(index, ord(" "))
    path.write_bytes(data)
    with pytest.raises(ArtifactError):
        read_manifest(tmp_path)
