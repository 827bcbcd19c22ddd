"""How prune removes: only what a manifest lists, to the end even after a kill, and by where the pointer is then."""

from pathlib import Path
from typing import Any

import pytest

from components.artifacts import storage
from components.artifacts.errors import ArtifactError
from components.artifacts.finding import find
from components.artifacts.manifest import write_manifest
from components.artifacts.storage import incoming, place_of
from components.prune import pruning
from components.prune.pruning import Rules
from tests.shorter import mostly_slow
from tests.storage.conftest import KINDS
from tests.storage.old_runs import as_old_as_they_say, goes, left, make, make_run, planned, promote, run, where
from tests.storage.test_foreign_files import FOREIGN, all_in, put
from tests.storage.test_unlisted import Killed, limit


@pytest.fixture(params=mostly_slow(KINDS, quick=2))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def aged(monkeypatch: pytest.MonkeyPatch) -> None:
    as_old_as_they_say(monkeypatch)


def prune(root: str, last: int = 0) -> dict[str, set[str]]:
    """Prune by a plan that is new; what was removed."""
    rules = Rules(last=last, days=1, champions=(f"{root}/champion",))
    removed = pruning.prune(root, rules, pruning.plan(root, rules))
    return goes(pruning.Plan(goes=tuple(removed), stay=0, pointers=()))


def test_all_of_an_old_run_goes_and_new_runs_are_not_touched(root: str) -> None:
    make_run(root, 0.5, "corpus")
    stays = all_in(root)
    make_run(root, 50, "corpus", "checkpoint", "samples")
    assert prune(root) == {run(50): {"corpus", "checkpoint", "samples"}}
    assert all_in(root) == stays
    assert prune(root) == {}


def test_nothing_is_left_of_a_removed_artifacts_directory_on_a_disk(tmp_path: Path) -> None:
    make_run(str(tmp_path), 50, "corpus")
    prune(str(tmp_path))
    assert not (tmp_path / run(50) / "ingest" / "corpus").exists()


def test_files_of_others_stay_wherever_they_are(root: str) -> None:
    make_run(root, 50, "corpus", "checkpoint")
    corpus, checkpoint = (where(root, run(50), kind) for kind in ("corpus", "checkpoint"))
    above = checkpoint.rpartition("/")[0]
    for name in FOREIGN:
        put(above, name)
        if name != "manifest.json":
            put(corpus, name)
            put(checkpoint, name)
    before = all_in(root)
    assert prune(root) == {run(50): {"corpus", "checkpoint"}}
    ours = {f"{place}/{name}" for place in (corpus, checkpoint) for name in ("manifest.json", "text.bin")}
    ours |= {f"{place}/deep/report.html" for place in (corpus, checkpoint)}
    assert all_in(root) == {name: data for name, data in before.items() if f"{root}/{name}" not in ours}


def test_copies_for_kubeflows_page_go_only_while_they_are_copies(root: str) -> None:
    uri = where(root, run(50), "corpus")
    above = uri.rpartition("/")[0]
    with storage.outgoing(uri, "corpus") as directory:
        (directory / "report.html").write_bytes(b"<html>")
        (directory / "README.md").write_bytes(b"card")
        write_manifest(directory, kind="corpus", stage="ingest", config={}, counts={}, made_from={})
    put(above, "page", b"<html>")
    put(above, "card", b"somebody's")
    prune(root)
    assert {name.rpartition("/")[2]: data for name, data in all_in(root).items()} == {"card": b"somebody's"}


def test_a_link_to_an_artifact_stays_and_so_does_what_it_points_at(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere" / "corpus"
    make(str(elsewhere), "corpus")
    root = tmp_path / "runs"
    link = Path(where(str(root), run(50), "corpus"))
    link.parent.mkdir(parents=True)
    link.symlink_to(elsewhere)
    before = all_in(str(elsewhere))
    prune(str(root))
    assert (link.is_symlink(), all_in(str(elsewhere))) == (True, before)


def kill_after(patch: pytest.MonkeyPatch, root: str, changes: int) -> None:
    """End at the change to the store after so many; on a disk a file is removed by its path."""
    if "://" in root:
        limit(patch, type(place_of(root).store), changes)
    else:
        limit(patch, type(place_of(root).store), min(changes, 1))  # the copy of the manifest
        counted: list[int] = [changes - 1]
        unlink = Path.unlink

        def counting(path: Path, **options: Any) -> None:
            if not path.name.endswith((".partial", ".lock")):
                counted[0] -= 1
                if counted[0] < 0:
                    raise Killed
            unlink(path, **options)

        patch.setattr(Path, "unlink", counting)


def test_a_removal_that_is_killed_anywhere_is_finished_by_the_next_prune(
    root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = where(root, run(50), "corpus")
    for changes in range(20):
        make(uri, "corpus")
        put(uri, "notes.txt")
        with monkeypatch.context() as patch:
            kill_after(patch, root, changes)
            try:
                prune(root)
            except Killed:
                pass
            else:
                break
        assert readable(uri) == (left(root) == {run(50): {"corpus"}})
        (old,) = planned(root).goes
        assert ([str(one.place) for one in old.artifacts], old.size) == ([uri], len(b"text<html>"))
        assert prune(root) == {run(50): {"corpus"}}
        assert all_in(root) == {f"{uri.removeprefix(root)[1:]}/notes.txt": b"mine"}
        place_of(uri).store.delete((place_of(uri) / "notes.txt").key)
    assert changes > 4
    assert planned(root).goes == ()


def readable(uri: str) -> bool:
    place = place_of(uri)
    place.store.delete((place / "notes.txt").key)
    try:
        with incoming(uri, "corpus"):
            return True
    except ArtifactError:
        return False
    finally:
        put(uri, "notes.txt")


def test_an_artifact_of_which_only_the_removal_began_stays_readable_if_it_is_to_stay(
    root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(root, 50, "model")
    with monkeypatch.context() as patch:
        kill_after(patch, root, 1)
        with pytest.raises(Killed):
            prune(root)
    promote(root, where(root, run(50), "model"))
    assert prune(root) == {}
    with incoming(where(root, run(50), "model"), "model"):
        pass


def test_a_pointer_that_moves_midway_keeps_what_it_points_at_then(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_run(root, 90, "corpus", "dataset")
    make_run(root, 60, "model", dataset=made["dataset"])
    make_run(root, 30, "model")
    remove = storage.remove_artifact
    removed: list[str] = []

    def removing(uri: str, digest: str) -> bool:
        is_removed = remove(uri, digest)
        if not removed:
            promote(root, where(root, run(60), "model"))
        removed.append(uri)
        return is_removed

    monkeypatch.setattr(storage, "remove_artifact", removing)
    assert prune(root) == {run(90): {"corpus"}, run(30): {"model"}}
    assert removed == [where(root, run(90), "corpus"), where(root, run(30), "model")]
    assert left(root) == {run(90): {"dataset"}, run(60): {"model"}}


def test_an_artifact_that_was_replaced_since_it_was_listed_stays(root: str) -> None:
    make_run(root, 50, "corpus")
    rules = Rules(last=0, days=1, champions=())
    plan = pruning.plan(root, rules)
    make(where(root, run(50), "corpus"), "corpus", config={"newer": True})
    assert not storage.remove_artifact(str(plan.goes[0].artifacts[0].place), plan.goes[0].artifacts[0].digest)
    assert pruning.prune(root, rules, plan) == []
    assert left(root) == {run(50): {"corpus"}}


def test_what_another_prune_has_removed_is_not_counted(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(root, 50, "corpus", "dataset")
    remove = storage.remove_artifact

    def twice(uri: str, digest: str) -> bool:
        monkeypatch.setattr(storage, "remove_artifact", remove)
        assert prune(root) == {run(50): {"corpus", "dataset"}}
        return remove(uri, digest)

    rules = Rules(last=0, days=1, champions=())
    plan = pruning.plan(root, rules)
    monkeypatch.setattr(storage, "remove_artifact", twice)
    assert pruning.prune(root, rules, plan) == []
    assert find(root, parts=True) == []
