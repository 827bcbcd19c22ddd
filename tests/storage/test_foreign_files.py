"""What removing leaves alone: every removal is surrounded with files of others, on a disk and in buckets."""

from pathlib import Path

import numpy as np
import pytest

from components.artifacts import storage
from components.artifacts.errors import ArtifactError, UsageError
from components.artifacts.manifest import write_manifest
from components.artifacts.storage import place_of
from components.train.checkpoints import Checkpoints
from components.train.config import TrainConfig
from components.train.ownership import Ownership
from components.train.progress import Progress
from components.train.showing import LiveView

CONFIG = TrainConfig(keep_checkpoints=1)
NAMED_AS_OURS = {"OWNER", "LATEST", "progress.json"}
FOREIGN = (
    "thesis.txt",
    "Documents/thesis.txt",
    ".ssh/id_ed25519",
    ".git/HEAD",
    "backup.old/thesis.txt",
    "download.partial/thesis.txt",
    "2024-01234567/thesis.txt",
    "1732541234-0123abcd/thesis.txt",
    ".1732541234-0123abcd.77-0123abcd.old/thesis.txt",
    ".thesis.77-0123abcd.old/chapter",
    ".thesis.77-0123abcd.partial/chapter",
    "dataset/manifest.json",
    "manifest.json",
    "OWNER",
    "LATEST",
    "progress.json",
    "tensorboard/training/events.out.tfevents.1732541234.laptop",
    "tensorboard/manifest.json",
    "tensorboard/0000000010/events.out.tfevents.0000000010.quillflow",
)


def put(root: str, name: str, data: bytes = b"mine") -> None:
    place = place_of(root) / name
    place.store.write(place.key, data)


def all_in(root: str) -> dict[str, bytes]:
    """All files below a place by their names, hidden ones too."""
    place = place_of(root)
    if place.local is not None:
        files = (path for path in place.local.rglob("*") if path.is_file() and not path.name.endswith(".lock"))
        return {path.relative_to(place.local).as_posix(): path.read_bytes() for path in files}
    keys = [listed.key for listed in place.store.list(place.key)]
    return {key.removeprefix(f"{place.key}/"): (place.store.read(key) or (b"",))[0] for key in keys}


def checkpoints(root: str) -> Checkpoints:
    return Checkpoints(root, CONFIG, "d")


def save(root: str, step: int) -> None:
    with Ownership(root) as ownership:
        checkpoints(root).save(Progress(train_step=step, best_step=step), [np.ones(3)], ownership)


def show(root: str, step: int) -> None:
    progress = Progress(train_step=step)
    progress.take(0, nats=2.0, targets=1)
    progress.add_to_curve(learning_rate=0.1, tokens_per_second=None, seconds=1.0)
    LiveView(root, 1.0).show(progress, None)


@pytest.mark.parametrize("foreign", FOREIGN)
def test_a_place_that_holds_anything_else_is_refused_by_name(root: str, foreign: str) -> None:
    if foreign not in NAMED_AS_OURS:
        save(root, 1)
    put(root, foreign)
    first = foreign.partition("/")[0]
    named = foreign if first.strip(".").startswith(("1732541234", "tensorboard")) else first
    with pytest.raises(UsageError) as raised:
        checkpoints(root).refuse_foreign()
    assert f"holds {named}, which is not a checkpoint's; checkpoints need a place of their own" in str(raised.value)


def test_a_place_of_checkpoints_alone_is_fine_whatever_was_left_there(root: str) -> None:
    checkpoints(root).refuse_foreign()
    for step in (1, 2):
        save(root, step)
        checkpoints(root).refuse_foreign()
    put(root, "OWNER", b'{"host": "gone", "pid": 1, "beats": 7}')
    for name in ("0000000003-0123abcd/variables.npz", ".0000000004-0123abcd.77-0123abcd.partial/progress.json"):
        put(root, name, b"half")
    show(root, 2)
    checkpoints(root).refuse_foreign()


def test_sweeping_and_starting_over_take_files_of_checkpoints_and_no_others(root: str) -> None:
    save(root, 1)
    put(root, "0000000003-0123abcd/variables.npz", b"half")
    foreign = dict.fromkeys(set(FOREIGN) - NAMED_AS_OURS, b"mine")
    for name in foreign:
        put(root, name)
    checkpoints(root).sweep()
    left = all_in(root)
    assert {name: left.get(name) for name in foreign} == foreign
    assert "0000000003-0123abcd/variables.npz" not in left
    assert checkpoints(root).newest() is not None
    show(root, 1)
    assert "tensorboard/training/events.out.tfevents.0000000001.quillflow" in all_in(root)
    checkpoints(root).clear()
    LiveView(root, 1.0).begin(0)
    left = all_in(root)
    left.pop("OWNER", None)
    assert left == foreign


def test_dropping_what_is_superseded_leaves_what_others_put_beside_and_inside(root: str) -> None:
    save(root, 1)
    inside = next(name for name in all_in(root) if name.endswith("variables.npz")).replace("variables.npz", "notes.txt")
    for name in (inside, "Documents/thesis.txt"):
        put(root, name)
    save(root, 2)
    left = all_in(root)
    assert (left[inside], left["Documents/thesis.txt"]) == (b"mine", b"mine")
    assert [name for name in left if name.endswith("variables.npz") and name.startswith("0000000001")] == []


def fill(directory: Path, text: str) -> None:
    (directory / "text.txt").write_text(text)
    write_manifest(directory, kind="corpus", stage="ingest", config={}, counts={}, made_from={})


def write(uri: str, text: str) -> None:
    with storage.outgoing(uri, "corpus") as directory:
        fill(directory, text)


@pytest.mark.parametrize("foreign", ["notes.txt", "more/notes.txt", ".notes"])
def test_an_artifact_with_a_file_of_somebody_elses_is_not_replaced(root: str, foreign: str) -> None:
    write(f"{root}/corpus", "old")
    put(root, f"corpus/{foreign}")
    before = all_in(root)
    with pytest.raises(
        ArtifactError, match=rf"corpus: holds {foreign}, which is not part of the artifact; choose another"
    ):
        write(f"{root}/corpus", "new")
    assert all_in(root) == before


def test_an_artifact_of_another_kind_is_not_replaced(root: str) -> None:
    write(f"{root}/corpus", "old")
    before = all_in(root)
    message = "corpus: holds a corpus, which a dataset must not replace; choose another place"
    with pytest.raises(ArtifactError, match=message), storage.outgoing(f"{root}/corpus", "dataset"):
        pytest.fail("it may not be filled")
    assert all_in(root) == before


@pytest.mark.parametrize("data", [b'{"name": "My web app"}', b"{", b""])
def test_a_foreign_manifest_makes_no_artifact_that_could_be_replaced(root: str, data: bytes) -> None:
    put(root, "app/manifest.json", data)
    with pytest.raises(ArtifactError, match=r"app: holds .*; choose another place or empty it"):
        write(f"{root}/app", "new")
    assert all_in(root) == {"app/manifest.json": data}


def test_replacing_an_artifact_leaves_what_is_beside_it(root: str) -> None:
    write(f"{root}/corpus", "old")
    beside = {
        ".corpus.mine.partial/thesis.txt": b"mine",
        ".corpus.old/thesis.txt": b"mine",
        "corpus.partial/thesis.txt": b"mine",
        "corpus-2/thesis.txt": b"mine",
    }
    for name in beside:
        put(root, name)
    write(f"{root}/corpus", "new")
    left = all_in(root)
    assert {name: left.get(name) for name in beside} == beside
    assert left["corpus/text.txt"] == b"new"
    assert {name for name in left if not name.startswith("corpus/")} == set(beside)
