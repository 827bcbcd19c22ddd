"""What prune leaves: the newest runs, the champion's, what is outside of runs, and all that these were made from."""

import os
from pathlib import Path

import pytest

from components.artifacts import storage
from components.artifacts.errors import ArtifactError
from components.artifacts.finding import find
from components.prune import pruning
from components.prune.pruning import Rules
from tests.shorter import mostly_slow
from tests.storage.conftest import KINDS
from tests.storage.old_runs import as_old_as_they_say, goes, left, make, make_run, planned, promote, run, where


@pytest.fixture(params=mostly_slow(KINDS, quick=2))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def aged(monkeypatch: pytest.MonkeyPatch) -> None:
    as_old_as_they_say(monkeypatch)


def test_the_last_runs_that_made_a_model_stay_and_all_since(root: str) -> None:
    for days in (9, 7, 5):
        make_run(root, days, "model")
    for days in (8, 6):
        make_run(root, days, "corpus")  # it failed before it had a model
    plan = planned(root, last=2)
    assert goes(plan) == {run(9): {"model"}, run(8): {"corpus"}}
    assert list(goes(plan)) == [run(9), run(8)]
    assert plan.stay == 3
    assert goes(planned(root, last=3)) == {}
    assert goes(planned(root, last=30)) == {}
    assert len(goes(planned(root, last=0))) == 5


def test_runs_that_wrote_anything_in_the_last_days_stay(root: str) -> None:
    for days in (2.9, 3.1, 40):
        make_run(root, days, "corpus")
    assert goes(planned(root, days=3)) == {run(3.1): {"corpus"}, run(40): {"corpus"}}
    assert goes(planned(root, days=39)) == {run(40): {"corpus"}}


def test_a_run_that_still_trains_stays_by_its_newest_checkpoint(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    make(where(root, "old", "corpus"), "corpus")
    make(where(root, "old", "checkpoint"), "checkpoint")
    assert goes(planned(root, days=1)) == {}
    assert goes(planned(root, days=-1)) == {"old": {"corpus", "checkpoint"}}


def test_the_champions_run_stays_as_a_whole_with_what_its_model_was_made_from(root: str) -> None:
    old = make_run(root, 50, "corpus", "dataset", "model")
    make_run(root, 40, "checkpoint", dataset=old["dataset"])  # its training again
    make_run(root, 40, "model", "samples", dataset=old["dataset"])
    make_run(root, 30)
    promote(root, where(root, run(40), "model"))
    assert goes(planned(root)) == {run(50): {"model"}, run(30): {"corpus", "model"}}


def test_the_lineage_of_a_champion_outside_the_root_stays(root: str) -> None:
    old = make_run(f"{root}/runs", 50)
    make(f"{root}/best", "model", {"corpus": old["corpus"]})
    promote(f"{root}/runs", f"{root}/best")
    assert goes(planned(f"{root}/runs")) == {run(50): {"model"}}


def test_a_champion_whose_model_is_gone_keeps_its_run(root: str) -> None:
    make_run(root, 50)
    promote(root, where(root, run(50), "model"))
    place = storage.place_of(where(root, run(50), "model"))
    place.store.delete((place / "manifest.json").key)
    assert goes(planned(root)) == {}


@pytest.mark.parametrize("data", [b"", b"{", b'{"model": "x"}'])
def test_a_damaged_pointer_ends_it(root: str, data: bytes) -> None:
    make_run(root, 50, "corpus")
    storage.write_file(f"{root}/champion", data)
    with pytest.raises(ArtifactError, match="champion: not a champion's pointer, or incomplete"):
        planned(root)


def test_what_a_run_that_stays_was_made_from_stays_through_all_generations(root: str) -> None:
    first = make_run(root, 90, "corpus", "dataset", "model")
    second = make_run(root, 60, "model", "samples", dataset=first["dataset"])
    make_run(root, 0.5, "samples", model=second["model"])
    assert goes(planned(root)) == {run(90): {"model"}, run(60): {"samples"}}


def test_of_several_identical_ancestors_the_nearest_stays(root: str) -> None:
    same = {"of": "the same text"}
    (corpus,) = {make(where(root, run(days), "corpus"), "corpus", config=same) for days in (70, 0.5)}
    make(where(root, run(0.5), "model"), "model", {"corpus": corpus})
    assert goes(planned(root)) == {run(70): {"corpus"}}


@pytest.mark.parametrize("named", ["checkpoints", "checkpoints/0000000008-0123abcd", "checkpoints/*", "itself"])
def test_the_checkpoints_that_training_began_from_stay_by_their_place(root: str, named: str) -> None:
    make_run(root, 80, "corpus", "checkpoint", "model")
    place = where(root, run(80), "checkpoint").removesuffix("/checkpoints/0000000008-0123abcd")
    begun = f"{place}/{named}" if named != "itself" else place
    make(where(root, run(0.5), "model"), "model", config={"train": [{"init_from": begun}]})
    stay = {"corpus", "checkpoint"} if named != "itself" else {"corpus", "checkpoint", "model"}
    assert goes(planned(root)).get(run(80), set()) == {"corpus", "checkpoint", "model"} - stay


def test_settings_that_name_no_place_keep_nothing(root: str) -> None:
    make_run(root, 80, "corpus")
    config = {"source": "https://example.org/text.txt\nftp://x/y\nbuiltin:python-docs", "prompt": "to/be", "seed": 7}
    make(where(root, run(0.5), "model"), "model", config={**config, "glob": "*/x", "none": None, "empty": ""})
    assert goes(planned(root)) == {run(80): {"corpus"}}


def test_buckets_that_settings_name_are_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = str(tmp_path)
    make_run(root, 80, "corpus")
    named = {"source": "gs://no-rights/texts/*.txt", "corpus": "minio://x/y"}
    make(where(root, run(0.5), "model"), "model", config=named)
    monkeypatch.setattr("components.artifacts.storage.place._bucket", None)
    assert goes(planned(root)) == {run(80): {"corpus"}}


def test_artifacts_outside_of_runs_stay_with_what_they_were_made_from(root: str) -> None:
    old = make_run(root, 50)
    make(f"{root}/mine/best", "model", {"corpus": old["corpus"]})
    make(f"{root}/corpus", "corpus")
    assert goes(planned(root)) == {run(50): {"model"}}


def test_a_root_that_is_a_run_or_inside_one_has_no_runs(root: str) -> None:
    make_run(root, 50)
    whole = where(root, run(50), "corpus").partition("/ingest/")[0]
    for place in (whole, f"{whole}/ingest", where(root, run(50), "corpus")):
        assert goes(planned(place)) == {}


def test_a_manifest_that_is_not_ours_or_damaged_is_left(root: str) -> None:
    make_run(root, 50, "corpus", "dataset")
    place = storage.place_of(where(root, run(50), "dataset")) / "manifest.json"
    place.store.write(place.key, b'{"name": "My web app"}')
    assert goes(planned(root)) == {run(50): {"corpus"}}


@pytest.mark.parametrize("is_champion", [True, False])
def test_an_artifact_of_a_newer_version_ends_it(root: str, is_champion: bool) -> None:
    make_run(f"{root}/runs", 50, "corpus")
    uri = f"{root}/best" if is_champion else where(f"{root}/runs", run(0.5), "model")
    make(uri, "model")
    promote(f"{root}/runs" if is_champion else root, uri)
    storage.write_file(f"{uri}/manifest.json", b'{"schema_version": 99}')
    with pytest.raises(ArtifactError, match="schema version 99 is newer than 1"):
        planned(f"{root}/runs")


def test_shards_go_with_their_run(tmp_path: Path) -> None:
    iteration = tmp_path / run(50) / "for-loop-2-iteration-0"
    make(str(iteration / "sample-shard" / "shard"), "samples")
    make(str(tmp_path / run(50) / "sample-gather" / "samples"), "samples")
    (old,) = planned(str(tmp_path)).goes
    assert (old.place.local, len(old.artifacts)) == (tmp_path / run(50), 2)


def test_a_runs_age_on_a_disk_is_that_of_its_newest_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    for name in ("old", "new"):
        make(where(str(tmp_path), name, "corpus"), "corpus")
    for one in find(str(tmp_path)):
        if one.run == "old":
            os.utime((one.place / "manifest.json").key, (one.updated - 90_000,) * 2)
    rules = Rules(last=0, days=1, champions=())
    plan = pruning.plan(str(tmp_path), rules)
    assert goes(plan) == {"old": {"corpus"}}
    pruning.prune(str(tmp_path), rules, plan)
    assert left(str(tmp_path)) == {"new": {"corpus"}}
