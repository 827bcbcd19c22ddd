"""Files that a manifest does not list: readers and `artifacts verify` see them, and publishing leaves none."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.errors import ArtifactError
from components.artifacts.storage import Place, StorageError, incoming, outgoing, place_of, pull
from pipelines.commands.main import main
from tests.shorter import mostly_slow
from tests.storage import servers
from tests.storage.trees import fill, keys_below, tree_in

LISTINGS = {"gs": r"^GET /storage/v1/b/[^/]+/o\?", "s3": "^GET .*list-type=2"}


def publish(root: str, tree: dict[str, bytes]) -> Place:
    with outgoing(f"{root}/corpus", "corpus") as directory:
        fill(directory, tree)
    return place_of(f"{root}/corpus")


@pytest.mark.parametrize("name", ["train-9.tfrecord", "deep/er/.hidden", "manifest.json.bak"])
def test_a_file_that_is_not_listed_is_refused_by_all_who_read(
    root: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = publish(root, {"text.txt": b"text"})
    place.store.write((place / name).key, b"not ours")
    said = f"{place}/{name}: the manifest does not list it; move it elsewhere"
    with pytest.raises(ArtifactError) as raised, incoming(str(place), "corpus"):
        pass
    assert str(raised.value) == said
    with pytest.raises(ArtifactError) as raised:
        pull(place, tmp_path / "copy")
    assert str(raised.value) == said
    assert not (tmp_path / "copy").exists()
    assert main(["artifacts", "verify", str(place)]) == 1
    assert said in capsys.readouterr().err
    place.store.delete((place / name).key)
    assert main(["artifacts", "verify", str(place)]) == 0


@pytest.mark.parametrize("kind", ["gs", "s3"])
def test_that_takes_a_reader_one_listing(root: str, kind: str, faults: servers.Faults) -> None:
    place = publish(root, {f"file-{number}": b"text" for number in range(5)})
    faults.clear()
    with incoming(str(place), "corpus"):
        assert faults.count(LISTINGS[kind]) == 1


@pytest.mark.parametrize("kind", mostly_slow(["gs", "s3"]))
def test_a_replacement_that_is_killed_anywhere_leaves_nothing_that_the_next_one_does_not_take_away(
    root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = publish(root, {"both": b"old", "old-1": b"old", "old-2": b"old"})
    former, latter = {"both": b"old", "old-1": b"old", "old-2": b"old"}, {"both": b"new", "new": b"new"}
    for allowed in range(100):
        publish(root, former)
        with monkeypatch.context() as patch:
            limit(patch, type(place.store), allowed)
            try:
                publish(root, latter)
            except Killed:
                pass
            else:
                break
        assert readable(place) in ({}, former, latter)
    assert allowed > 6
    assert keys_below(place) == ["both", "manifest.json", "new"]


class Killed(BaseException):
    """The process ended."""


def limit(patch: pytest.MonkeyPatch, store: type, allowed: int) -> None:
    """End at the change to the bucket after the `allowed` first ones."""
    left = [allowed]

    def counted(change: Callable[..., Any]) -> Callable[..., Any]:
        def made(*arguments: Any, **options: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return change(*arguments, **options)

        return made

    for name in ("write", "upload", "delete"):
        patch.setattr(store, name, counted(getattr(store, name)))


def readable(place: Place) -> dict[str, bytes]:
    """What a reader finds, if anything."""
    try:
        with incoming(str(place), "corpus") as directory:
            found = tree_in(directory)
    except (ArtifactError, StorageError):
        return {}
    return {name: data for name, data in found.items() if name != "manifest.json"}
