"""The champion: moved only by a better model, whoever else is moving it, and fetched."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from components.artifacts import champion, storage
from components.artifacts.errors import ArtifactError
from tests.cluster.conftest import Command, make_artifact

RUN = "0b9d6f6c-7a55-4c58-9f6e-0123456789ab"
METRICS = {"validation_protocol": "carry", "held_out": "a" * 64}


@pytest.fixture(params=["local", "bucket"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where runs are kept: on a disk, and in a bucket."""
    return str(tmp_path / "runs") if request.param == "local" else str(request.getfixturevalue("bucket"))


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    path = tmp_path / "scratch"
    path.mkdir()
    return path


def make_model(root: str, run: str, scratch: Path, loss: float | None, **more: Any) -> str:
    """A model of a run, with a held-out loss; its URI."""
    uri = f"{root}/text-generation/{run}/train/{RUN}/model"
    metrics = {"validation_loss_nats": loss, **METRICS, **more}
    files = {"metrics.json": json.dumps(metrics), "model.keras": run}
    make_artifact(uri, "model", "train", scratch, files)
    return uri


def promote(model: str, pointer: str, *, force: bool = False) -> champion.Promotion:
    """Promote where nothing but losses of one text is to be compared."""

    def never(*_: champion.Champion) -> champion.Verdict:
        raise AssertionError("losses of one text were taken for those of two")

    return champion.promote(model, pointer, compare=never, force=force)


def test_the_first_model_is_the_champion_and_a_better_one_takes_its_place(root: str, scratch: Path) -> None:
    pointer = f"{root}/champion"
    first = promote(make_model(root, "one", scratch, 1.5), pointer)
    assert (first.moved, first.reason, first.champion.run) == (True, "it is the first", "one")
    worse = promote(make_model(root, "two", scratch, 1.6), pointer)
    assert (worse.moved, worse.reason) == (False, "its loss, 1.6000 nats, is not below the champion's 1.5000")
    assert worse.champion == first.champion
    better = promote(make_model(root, "three", scratch, 1.4), pointer)
    assert (better.moved, better.former) == (True, first.champion)
    assert champion.read(pointer) == better.champion


def test_an_equal_loss_and_the_champion_itself_move_nothing(root: str, scratch: Path) -> None:
    pointer = f"{root}/champion"
    model = make_model(root, "one", scratch, 1.5)
    promote(model, pointer)
    before = storage.read_file(pointer)
    assert promote(model, pointer).reason == "it is the champion already"
    assert not promote(make_model(root, "two", scratch, 1.5), pointer).moved
    assert storage.read_file(pointer) == before


def test_losses_of_one_text_are_compared_whichever_protocol_each_model_was_trained_for(
    root: str, scratch: Path
) -> None:
    pointer = f"{root}/champion"
    promote(make_model(root, "one", scratch, 1.5), pointer)
    other = {"validation_protocol": "window of 60"}
    assert not promote(make_model(root, "two", scratch, 1.6, **other), pointer).moved
    assert promote(make_model(root, "three", scratch, 1.4, **other), pointer).moved


@pytest.mark.parametrize("moves", [True, False])
def test_where_losses_are_of_two_texts_a_comparison_decides(root: str, scratch: Path, moves: bool) -> None:
    pointer = f"{root}/champion"
    former = promote(make_model(root, "one", scratch, 1.5), pointer).champion
    new = make_model(root, "two", scratch, 1.6 if moves else 1.0, held_out="b" * 64)
    asked = []

    def compare(*models: champion.Champion) -> champion.Verdict:
        asked.append([model.run for model in models])
        return champion.Verdict(moves=moves, reason="so it was found")

    done = champion.promote(new, pointer, compare=compare)
    assert asked == [["two", "one"]]
    assert (done.moved, done.reason, done.former) == (moves, "so it was found", former)
    assert champion.read(pointer).run == ("two" if moves else "one")
    assert promote(new, pointer, force=True).moved is not moves


@pytest.mark.parametrize("gone", [True, False])
def test_a_champion_that_is_gone_or_replaced_gives_way_to_any_model(root: str, scratch: Path, gone: bool) -> None:
    pointer = f"{root}/champion"
    first = make_model(root, "one", scratch, 1.5)
    promote(first, pointer)
    if gone:
        storage.remove(first, ["manifest.json", "metrics.json", "model.keras"])
    else:
        make_model(root, "one", scratch, 1.4)
    done = promote(make_model(root, "two", scratch, 1.6), pointer)
    assert (done.moved, done.reason) == (True, f"the former champion {first} is gone, or replaced by another model")


def test_force_goes_back_to_an_older_model(root: str, scratch: Path) -> None:
    pointer = f"{root}/champion"
    old = make_model(root, "one", scratch, 1.5)
    promote(old, pointer)
    promote(make_model(root, "two", scratch, 1.0), pointer)
    back = promote(old, pointer, force=True)
    assert (back.moved, back.champion.loss) == (True, 1.5)


@pytest.mark.parametrize(
    ("loss", "more", "message"),
    [
        (None, {}, "no text was held out, so it has no loss to compare; set vectorize.held_out"),
        (float("nan"), {}, "its held-out loss is nan: training diverged; lower train.learning_rate"),
        (1.0, {"held_out": None}, "its metrics do not say which text was held out; train it with this version"),
    ],
)
def test_a_model_without_a_loss_to_compare_is_refused(
    root: str, scratch: Path, loss: float | None, more: dict[str, Any], message: str
) -> None:
    with pytest.raises(ArtifactError, match=message):
        promote(make_model(root, "one", scratch, loss, **more), f"{root}/champion")
    assert storage.read_file(f"{root}/champion") is None


def test_a_damaged_model_does_not_become_champion(tmp_path: Path, scratch: Path) -> None:
    model = make_model(str(tmp_path), "one", scratch, 1.5)
    (Path(model) / "model.keras").write_text("ONE")
    with pytest.raises(ArtifactError, match=r"model\.keras: its SHA-256 is not the manifest's"):
        promote(model, f"{tmp_path}/champion")


def test_a_file_that_is_no_pointer_is_not_written_over(root: str, scratch: Path) -> None:
    storage.write_file(f"{root}/champion", b"mine")
    with pytest.raises(ArtifactError, match="not a champion's pointer, or incomplete"):
        promote(make_model(root, "one", scratch, 1.5), f"{root}/champion")
    assert storage.read_file(f"{root}/champion")[0] == b"mine"  # type: ignore[index]


@pytest.mark.parametrize(("theirs", "moves"), [(1.2, True), (0.8, False)])
def test_what_another_promoter_does_meanwhile_is_heeded(
    root: str, scratch: Path, monkeypatch: pytest.MonkeyPatch, theirs: float, moves: bool
) -> None:
    pointer = f"{root}/champion"
    mine, other = make_model(root, "mine", scratch, 1.0), make_model(root, "other", scratch, theirs)
    read_file, meanwhile = storage.read_file, [other]

    def read_and_be_late(uri: str) -> Any:
        found = read_file(uri)
        if uri == pointer and meanwhile:
            promote(meanwhile.pop(), pointer)
        return found

    monkeypatch.setattr(storage, "read_file", read_and_be_late)
    done = promote(mine, pointer)
    assert done.moved is moves
    assert done.former is not None
    assert done.former.loss == theirs
    assert champion.read(pointer).loss == min(1.0, theirs)


def test_of_many_promoters_at_once_the_best_wins_and_no_move_is_lost(root: str, scratch: Path) -> None:
    pointer, losses = f"{root}/champion", [1.8, 1.2, 1.5, 1.1, 1.7, 1.3]
    models = [make_model(root, f"run-{number}", scratch, loss) for number, loss in enumerate(losses)]
    together = Barrier(len(models))

    def promote_together(model: str) -> champion.Promotion:
        together.wait()
        return promote(model, pointer)

    with ThreadPoolExecutor(len(models)) as pool:
        moves = [done for done in pool.map(promote_together, models) if done.moved]
    assert champion.read(pointer).loss == min(losses)
    formers = [done.former.digest if done.former else "" for done in moves]
    assert len(set(formers)) == len(formers), "two promoters went over the same champion"


def test_a_runs_model_is_promoted_and_pulled_by_name(
    quillflow: Command, in_bucket: str, scratch: Path, tmp_path: Path
) -> None:
    model = make_model(in_bucket, RUN, scratch, 1.5)
    code, out, _ = quillflow("promote", RUN)
    assert (code, out) == (0, f"Champion is now {model}: it is the first\n")
    code, out, _ = quillflow("promote", model, "--json")
    assert (code, json.loads(out)["moved"]) == (0, False)
    assert quillflow("artifacts", "pull", "champion", str(tmp_path / "best"))[0] == 0
    assert (tmp_path / "best" / "model.keras").read_text() == RUN
    assert json.loads((storage.read_file(in_bucket.replace("/runs", "/champion")) or (b"",))[0])["run"] == RUN


def test_without_a_name_the_newest_model_is_promoted(quillflow: Command, in_bucket: str, scratch: Path) -> None:
    code, _, err = quillflow("promote")
    assert (code, f"{in_bucket}: no model there" in err) == (1, True)
    make_model(in_bucket, "one", scratch, 1.5)
    newest = make_model(in_bucket, "two", scratch, 1.6)
    assert quillflow("promote")[1] == f"Champion is now {newest}: it is the first\n"


def test_a_model_that_cannot_be_compared_is_refused_with_what_lacks(
    quillflow: Command, in_bucket: str, scratch: Path
) -> None:
    make_model(in_bucket, "one", scratch, 1.5)
    quillflow("promote", "one")
    new = make_model(in_bucket, "two", scratch, 1.4, held_out="b" * 64)
    code, out, err = quillflow("promote", "two")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"error: {new}: the champion's loss is of different held-out text, and this model's dataset")
    assert quillflow("promote", "two", "--force")[1] == f"Champion is now {new}: it was forced\n"


def test_beside_local_runs_the_champion_is_kept_too(quillflow: Command, scratch: Path, tmp_path: Path) -> None:
    root = str(tmp_path / "runs")
    make_model(root, "one", scratch, 1.5)
    assert quillflow("promote", "one", "--root", root)[0] == 0
    code, out, _ = quillflow("artifacts", "show", "champion", "--root", root)
    assert (code, out.startswith("model at ")) == (0, True)


def test_a_champion_that_was_replaced_in_its_place_is_not_pulled(
    quillflow: Command, scratch: Path, tmp_path: Path
) -> None:
    root = str(tmp_path / "runs")
    make_model(root, "one", scratch, 1.5)
    quillflow("promote", "one", "--root", root)
    make_model(root, "one", scratch, 1.9)
    code, _, err = quillflow("artifacts", "pull", "champion", str(tmp_path / "best"), "--root", root)
    assert (code, "no longer the model that" in err) == (1, True)


def test_where_there_is_no_champion_that_is_said(quillflow: Command, in_bucket: str, tmp_path: Path) -> None:
    code, _, err = quillflow("artifacts", "pull", "champion", str(tmp_path / "best"))
    assert code == 1
    pointer = in_bucket.replace("/runs", "/champion")
    assert err == f"error: {pointer}: no champion is there yet; quillflow promote makes one\n"
