"""Artifacts found below a root, resolved by URI or run, and traced."""

import json
import os
import shutil
from pathlib import Path

import pytest

from components.artifacts.errors import ArtifactError
from components.artifacts.manifest import digest, write_manifest
from pipelines.commands.main import main
from pipelines.results import finding

RUN = "text-generation-2026-01-02"


def make(directory: Path, kind: str, stage: str, made_from: dict[str, str], age: int) -> str:
    directory.mkdir(parents=True)
    (directory / f"{kind}.bin").write_bytes(kind.encode() * 100)
    write_manifest(
        directory, kind=kind, stage=stage, config={"source": "tale.txt"}, counts={"things": 3}, made_from=made_from
    )
    os.utime(directory / "manifest.json", (1e9 - age, 1e9 - age))
    return digest(directory)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A run of corpus and dataset as Kubeflow lays it out here, and a model as it does in a bucket."""
    root = tmp_path / "runs"
    corpus = make(root / RUN / "ingest" / "corpus", "corpus", "ingest", {"source": "f" * 64}, age=30)
    dataset = make(root / RUN / "vectorize" / "dataset", "dataset", "vectorize", {"corpus": corpus}, age=20)
    uuid = "0b9d6f6c-7a55-4c58-9f6e-0123456789ab"
    make(root / "text-generation" / "run-7" / "train" / uuid / "model", "model", "train", {"dataset": dataset}, age=10)
    checkpoint = root / RUN / "train" / "checkpoints" / "0000000008-0123abcd"
    make(checkpoint, "checkpoint", "train", {"dataset": dataset}, age=5)
    return root


def test_artifacts_are_listed_newest_first_with_their_run_and_without_single_checkpoints(root: Path) -> None:
    found = finding.find(str(root))
    assert [(one.manifest.kind, one.run) for one in found] == [("model", "run-7"), ("dataset", RUN), ("corpus", RUN)]
    assert found[1].size == len("dataset") * 100


def test_samples_that_were_gathered_are_listed_with_their_run_and_their_shards_are_not(tmp_path: Path) -> None:
    made_from = {"model": "f" * 64}
    make(tmp_path / RUN / "for-loop-2-iteration-0" / "sample-shard" / "shard", "samples", "sample", made_from, age=3)
    make(tmp_path / RUN / "sample-shard-1" / "shard", "samples", "sample", made_from, age=2)
    make(tmp_path / RUN / "sample-gather" / "samples", "samples", "sample", made_from, age=1)
    (whole,) = finding.find(str(tmp_path))
    assert (whole.run, whole.place.key) == (RUN, str(tmp_path / RUN / "sample-gather" / "samples"))


def test_a_stages_several_tasks_are_of_the_same_run(root: Path) -> None:
    for number, task in enumerate(("sample-shard", "sample-gather")):
        uuid = f"0b9d6f6c-7a55-4c58-9f6e-0123456789a{number}"
        make(root / "text-generation" / "run-7" / task / uuid / "samples", "samples", "sample", {}, age=number)
    assert [one.run for one in finding.find(str(root))][:3] == ["run-7", "run-7", "run-7"]


def test_the_root_may_lie_in_a_hidden_place_and_hidden_directories_below_it_are_passed_over(tmp_path: Path) -> None:
    root = tmp_path / ".cache" / "runs"
    make(root / "work" / "corpus", "corpus", "ingest", {}, age=1)
    make(root / ".trash" / "corpus", "corpus", "ingest", {}, age=2)
    for place in (root, root / ".." / "runs"):
        assert [one.place.key for one in finding.find(str(place))] == [str(place / "work" / "corpus")]


def test_a_incomplete_manifest_is_passed_over_and_hides_nothing(root: Path) -> None:
    (root / RUN / "ingest" / "corpus" / "manifest.json").write_text("{")
    assert [one.manifest.kind for one in finding.find(str(root))] == ["model", "dataset"]


def test_a_name_means_an_artifact_a_run_or_what_is_below_a_place(root: Path) -> None:
    def kinds(name: str) -> list[str]:
        return [one.manifest.kind for one in finding.resolve(name, str(root))]

    assert kinds(str(root / RUN / "ingest" / "corpus")) == ["corpus"]
    assert kinds(RUN) == ["dataset", "corpus"]
    assert kinds("run-7") == ["model"]
    assert kinds(str(root)) == ["model", "dataset", "corpus"]
    with pytest.raises(ArtifactError, match="no-such-run: neither an artifact nor a run under"):
        kinds("no-such-run")


def test_lineage_leads_back_to_the_source(root: Path) -> None:
    model = finding.resolve("run-7", str(root))[0]
    chain = finding.show(model, str(root))["lineage"]
    assert [step["kind"] for step in chain] == ["dataset", "corpus", "source"]
    assert chain[1]["uri"] == str(root / RUN / "ingest" / "corpus")
    assert chain[2] == {"kind": "source", "digest": "f" * 64, "uri": "tale.txt"}


def test_lineage_says_where_the_trail_leaves_the_root(root: Path, tmp_path: Path) -> None:
    model = finding.resolve("run-7", str(root))[0]
    (step,) = finding.lineage(model, str(tmp_path / "elsewhere"))
    assert step["uri"] is None


def test_each_line_of_the_lineage_has_one_kind_digest_and_place(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["artifacts", "show", "run-7", "--root", f"{root}/../runs"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("  made from")]
    places = [str(root / RUN / "vectorize" / "dataset"), str(root / RUN / "ingest" / "corpus"), "tale.txt"]
    digests = [digest(Path(place))[:16] for place in places[:2]] + ["f" * 16]
    kinds = ["dataset", "corpus", "source"]
    assert lines == [["made", "from", *parts] for parts in zip(kinds, digests, places, strict=True)]
    shutil.rmtree(root / RUN)
    assert main(["artifacts", "show", "run-7", "--root", str(root)]) == 0
    assert capsys.readouterr().out.count("  not found\n") == 1


def test_a_run_is_named_where_the_place_names_one_and_else_nothing_is_said_of_it(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["artifacts", "show", "run-7", "--root", str(root)]) == 0
    assert "  run       run-7\n" in capsys.readouterr().out
    make(tmp_path / "alone" / "model", "model", "train", {}, age=1)
    assert main(["artifacts", "show", str(tmp_path / "alone" / "model"), "--root", str(root)]) == 0
    assert "  run " not in capsys.readouterr().out


def test_a_list_names_the_run_and_the_place_in_it_and_both_together_name_the_artifact(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(root / "work" / "model", "model", "train", {}, age=40)
    assert main(["artifacts", "ls", "--root", str(root)]) == 0
    _, *lines = capsys.readouterr().out.splitlines()
    cells = [line.split()[-2:] for line in lines]
    uuid = "0b9d6f6c-7a55-4c58-9f6e-0123456789ab"
    assert cells == [
        ["run-7", f"train/{uuid}/model"],
        [RUN, "vectorize/dataset"],
        [RUN, "ingest/corpus"],
        ["-", "work/model"],
    ]
    for kind, (run, place) in zip(["model", "dataset", "corpus"], cells, strict=False):
        for above in (root, root.parent):
            assert [one.manifest.kind for one in finding.resolve(f"{run}/{place}", str(above))] == [kind]


def test_the_commands_print_json_or_lines(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["artifacts", "ls", "--root", str(root), "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["artifacts"]
    assert [one["kind"] for one in listed] == ["model", "dataset", "corpus"]
    assert listed[0]["updated"] == "2001-09-09T01:46:30+00:00"
    assert main(["artifacts", "ls", "--root", str(root)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    assert main(["artifacts", "show", "run-7", "--root", str(root)]) == 0
    assert "made from corpus" in capsys.readouterr().out
    assert main(["artifacts", "pull", "run-7", str(tmp_path / "model"), "--root", str(root)]) == 0
    assert (tmp_path / "model" / "model.bin").is_file()
