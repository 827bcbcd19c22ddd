"""`quillflow rerun`: one stage again, with what the run made and the settings it had."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.conftest import Command, make_artifact
from tests.cluster.server import Server

UUID = "0b9d6f6c-7a55-4c58-9f6e-0123456789ab"


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    path = tmp_path / "scratch"
    path.mkdir()
    return path


@pytest.fixture
def run(server: Server, quillflow: Command, in_bucket: str, scratch: Path) -> str:
    """A run of the cluster that made a corpus, a dataset and a model; its id."""
    arguments = ("--set", "train.epochs=7", "--set", "sample.length=99", "--source", "gs://lab/tale.txt")
    assert quillflow("submit", *arguments)[0] == 0
    (run,) = server.api.runs
    digest, place = "", f"{in_bucket}/text-generation/{run}"
    kind_before = "source"
    for stage, kind in (("ingest", "corpus"), ("vectorize", "dataset"), ("train", "model")):
        uri = f"{place}/{stage}/{UUID}/{kind}"
        made_from = {kind_before: digest} if digest else {}
        digest, kind_before = make_artifact(uri, kind, stage, scratch, {"it": kind}, made_from=made_from), kind
    return run


def newest(server: Server) -> Any:
    return list(server.api.runs.values())[-1]


@pytest.mark.parametrize(
    ("stage", "fed_with", "value"),
    [
        ("ingest", "source", "gs://lab/tale.txt"),
        ("vectorize", "corpus_uri", "ingest/{uuid}/corpus"),
        ("train", "dataset_uri", "vectorize/{uuid}/dataset"),
        ("sample", "model_uri", "train/{uuid}/model"),
    ],
)
def test_a_stage_is_fed_with_what_the_run_made(
    server: Server, quillflow: Command, in_bucket: str, run: str, stage: str, fed_with: str, value: str
) -> None:
    code, out, err = quillflow("rerun", stage, "--from", run)
    assert code == 0, err
    again = newest(server)
    assert again.display_name.startswith(f"rerun-{stage}-")
    fed = again.runtime_config.parameters[fed_with]
    assert fed == (value if "://" in value else f"{in_bucket}/text-generation/{run}/{value.format(uuid=UUID)}")
    assert out.splitlines()[0] == f"Run {again.run_id}: {stage} of {run} again, fed with {fed}"
    version = server.api.versions[again.pipeline_version_reference.pipeline_version_id]
    assert version.pipeline_spec["pipelineInfo"]["name"] == stage


def test_settings_are_the_runs_but_for_those_that_are_set(server: Server, quillflow: Command, run: str) -> None:
    assert quillflow("rerun", "train", "--from", run, "--set", "train.seed=5")[0] == 0
    settings = newest(server).runtime_config.parameters["settings"]
    assert (settings["epochs"], settings["seed"]) == (7, 5)
    code, _, err = quillflow("rerun", "train", "--from", run, "--set", "sample.seed=5")
    assert (code, "only train is re-run; set train.SETTING=VALUE" in err) == (2, True)


def test_a_rerun_is_never_answered_from_the_cache(server: Server, quillflow: Command, run: str) -> None:
    for _ in range(2):
        quillflow("rerun", "sample", "--from", run)
    first, second = list(server.api.runs.values())[-2:]
    assert first.runtime_config.parameters["version"] != second.runtime_config.parameters["version"]


def test_a_rerun_can_be_done_again_in_turn(server: Server, quillflow: Command, run: str) -> None:
    """Its own record has the settings of one stage only, and what it was fed with."""
    quillflow("rerun", "train", "--from", run, "--set", "train.seed=5")
    second = newest(server)
    assert quillflow("rerun", "train", "--from", second.run_id)[0] == 0
    third = newest(server).runtime_config.parameters
    assert third["dataset_uri"] == second.runtime_config.parameters["dataset_uri"]
    assert (third["settings"]["seed"], third["settings"]["epochs"]) == (5, 7)


def test_an_artifact_by_its_uri_feeds_a_stage_too(server: Server, quillflow: Command, in_bucket: str, run: str) -> None:
    dataset = f"{in_bucket}/text-generation/{run}/vectorize/{UUID}/dataset"
    code, _, err = quillflow("rerun", "train", "--from", dataset, "--recipe", "quick")
    assert (code, "are unknown; using the recipe quick" in err) == (0, True)
    parameters = newest(server).runtime_config.parameters
    assert (parameters["dataset_uri"], parameters["settings"]["train_steps"]) == (dataset, 500)


def test_a_cached_input_is_found_where_the_cache_had_it_from(
    server: Server, quillflow: Command, in_bucket: str, run: str, scratch: Path
) -> None:
    """The second run only sampled: its model is the first run's, which its samples name by digest."""
    quillflow("submit", "--source", "gs://lab/tale.txt")
    second = newest(server).run_id
    model = f"{in_bucket}/text-generation/{run}/train/{UUID}/model"
    from pipelines.results import finding

    (found,) = finding.resolve(model, in_bucket)
    samples = f"{in_bucket}/text-generation/{second}/sample/{UUID}/samples"
    make_artifact(samples, "samples", "sample", scratch, {"it": "samples"}, made_from={"model": found.digest})
    assert quillflow("rerun", "sample", "--from", second)[0] == 0
    assert newest(server).runtime_config.parameters["model_uri"] == model


def checkpoint(root: str, run: str, scratch: Path, step: int, dataset: str) -> str:
    """A committed checkpoint of a run whose training was left unfinished; the checkpoints' URI."""
    uri = f"{root}/text-generation/{run}/train/{UUID}/checkpoints"
    make_artifact(
        f"{uri}/{step:010d}-0123abcd",
        "checkpoint",
        "train",
        scratch,
        {"variables.npz": str(step)},
        counts={"train_step": step},
        made_from={"dataset": dataset},
        config={"epochs": 9},
    )
    return uri


def test_training_that_was_left_resumes_from_its_checkpoints_even_where_all_before_came_from_the_cache(
    server: Server, quillflow: Command, in_bucket: str, run: str, scratch: Path
) -> None:
    from pipelines.results import finding

    dataset = f"{in_bucket}/text-generation/{run}/vectorize/{UUID}/dataset"
    (found,) = finding.resolve(dataset, in_bucket)
    quillflow("submit", "--source", "gs://lab/tale.txt", "--set", "train.epochs=9")
    second = newest(server).run_id
    checkpoint(in_bucket, second, scratch, 100, found.digest)
    checkpoints = checkpoint(in_bucket, second, scratch, 200, found.digest)
    code, _, err = quillflow("rerun", "train", "--from", second)
    assert (code, f"Training resumes after train step 200, from {checkpoints}" in err) == (0, True), err
    parameters = newest(server).runtime_config.parameters
    assert parameters["dataset_uri"] == dataset
    assert (parameters["settings"]["init_from"], parameters["settings"]["epochs"]) == (checkpoints, 9)


def test_training_starts_over_where_what_is_set_would_change_the_steps_taken(
    server: Server, quillflow: Command, in_bucket: str, run: str, scratch: Path
) -> None:
    from pipelines.results import finding

    (found,) = finding.resolve(f"{in_bucket}/text-generation/{run}/vectorize/{UUID}/dataset", in_bucket)
    quillflow("submit", "--source", "gs://lab/tale.txt")
    second = newest(server).run_id
    checkpoint(in_bucket, second, scratch, 200, found.digest)
    code, _, err = quillflow("rerun", "train", "--from", second, "--set", "train.seed=5")
    assert (code, "Training starts over: seed would change the steps already taken" in err) == (0, True)
    assert newest(server).runtime_config.parameters["settings"]["init_from"] == ""


def test_a_run_that_is_not_there_or_made_nothing_is_named(server: Server, quillflow: Command, in_bucket: str) -> None:
    quillflow("submit")
    (run,) = server.api.runs
    code, _, err = quillflow("rerun", "train", "--from", "no-such-run")
    assert (code, "run no-such-run does not exist" in err) == (1, True)
    code, _, err = quillflow("rerun", "train", "--from", run)
    assert code == 1
    assert f"{run}: it made or used no dataset below {in_bucket}" in err
    assert "name the dataset by its URI" in err


def test_without_a_root_in_the_environment_nobody_knows_where_to_look(quillflow: Command) -> None:
    code, _, err = quillflow("rerun", "train", "--from", "r")
    assert (code, "environment lab has no cluster.pipeline_root" in err) == (2, True)


@pytest.fixture
def local_run(tmp_path: Path) -> str:
    """A run on this machine that has come as far as its dataset; where runs are stored."""
    source, root = tmp_path / "tale.txt", tmp_path / "runs"
    source.write_text("Once upon a time there was a mill, and the mill ground on. " * 30)
    place = root / "text-generation-1"
    ingest = ["ingest", "--source", str(source), "--corpus", str(place / "ingest" / "corpus"), "--lowercase"]
    vectorize = ["vectorize", "--corpus", str(place / "ingest" / "corpus"), "--length", "16"]
    from pipelines.commands.main import main

    assert main(ingest) == 0
    assert main([*vectorize, "--dataset", str(place / "vectorize" / "dataset")]) == 0
    return str(root)


def test_a_stage_of_a_local_run_is_done_again_here(
    server: Server, quillflow: Command, local_run: str, tmp_path: Path
) -> None:
    arguments = ("--from", "text-generation-1", "--root", local_run, "--set", "vectorize.step=2", "--json")
    code, out, err = quillflow("rerun", "vectorize", *arguments)
    assert code == 0, err
    made = json.loads(out)
    assert made["run"].startswith("rerun-vectorize-")
    from components.artifacts.manifest import read_manifest, verify

    dataset = Path(local_run) / made["run"] / "vectorize" / "dataset"
    assert str(dataset) == made["dataset"]
    config = verify(dataset).config
    assert (config["length"], config["step"]) == (16, 2)
    before = read_manifest(tmp_path / "runs" / "text-generation-1" / "vectorize" / "dataset")
    assert before.made_from == read_manifest(dataset).made_from
    assert not server.faults.seen


def test_ingest_of_a_local_run_reads_its_source_again(quillflow: Command, local_run: str) -> None:
    code, out, _ = quillflow("rerun", "ingest", "--from", "text-generation-1", "--root", local_run)
    assert code == 0
    corpus = Path(local_run) / out.split()[1].rstrip(":") / "ingest" / "corpus"
    assert corpus.joinpath("text.txt").read_text().startswith("once upon a time")


def test_a_local_run_that_lacks_the_input_is_named(quillflow: Command, local_run: str) -> None:
    code, _, err = quillflow("rerun", "sample", "--from", "text-generation-1", "--root", local_run)
    assert (code, "text-generation-1: it made or used no model below" in err) == (1, True)


def test_on_this_machine_and_on_a_cluster_are_two_places(quillflow: Command, tmp_path: Path) -> None:
    code, _, err = quillflow(
        "rerun", "train", "--from", "x", "--root", str(tmp_path), "--endpoint", "http://127.0.0.1:9"
    )
    assert (code, err) == (2, "error: --root runs on this machine, --endpoint on a cluster; give only one of them\n")
