"""The whole pipeline through Kubeflow's engine: what it makes, what the cache answers, and how it fails."""

import builtins
import json
import logging
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.manifest import digest, verify
from components.artifacts.typed import Epoch, Metrics, Point, Sample, WrittenText
from pipelines.commands.main import main
from pipelines.inputs import arguments as run_arguments
from pipelines.results.finding import find
from tests.arguments import without
from tests.integration.conftest import tiny_at

Run = Callable[..., dict[str, Any]]
STAGES = ("ingest", "vectorize", "train", "sample", "report")
EXECUTED = dict.fromkeys(STAGES, "executed")
CACHED = dict.fromkeys(STAGES, "cached")


@dataclass(frozen=True)
class Whole:
    """A run that was made once for the tests that only look at it: its arguments and what it printed."""

    arguments: list[str]
    made: dict[str, Any]

    @property
    def root(self) -> Path:
        return Path(self.arguments[3])


@pytest.fixture(scope="module")
def whole(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    arguments = tiny_at(tmp_path_factory.mktemp("whole"))
    return Whole(arguments, run(*arguments))


def test_a_run_makes_every_artifact_and_says_how_it_goes(whole: Whole) -> None:
    made = whole.made
    assert made["stages"] == EXECUTED
    assert_traced(made)
    assert made["metrics"] == json.loads((Path(made["artifacts"]["model"]) / "metrics.json").read_text())
    assert re.search(r"^train +step [\d,]+/[\d,]+ +loss [\d.]+ nats", made["stderr"], re.MULTILINE)
    assert "KFP" not in made["stderr"]
    assert "Warning" not in made["stderr"]
    log = next((whole.root / "logs").iterdir()).read_text()
    assert "Executing task" in log


def test_json_files_hold_the_fields_that_are_declared(whole: Whole) -> None:
    model, samples = (Path(whole.made["artifacts"][name]) for name in ("model", "samples"))
    history = [json.loads(row) for row in (model / "history.jsonl").read_text().splitlines()]
    written = [json.loads(row) for path in samples.glob("samples-*.jsonl") for row in path.read_text().splitlines()]
    records = {
        Metrics: [json.loads((model / "metrics.json").read_text())],
        Epoch: history,
        Point: [point for epoch in history for point in epoch["curve"]],
        Sample: [sample for epoch in history for sample in epoch.get("samples", [])],
        WrittenText: written,
    }
    for declared, found in records.items():
        fields = set(declared.__annotations__)
        required = declared.__required_keys__  # type: ignore[attr-defined]
        assert found, declared
        assert all(required <= set(record) <= fields for record in found), declared


def test_the_cache_answers_for_a_run_that_is_there(whole: Whole, run: Run) -> None:
    again = run(*whole.arguments)
    assert again["stages"] == CACHED
    assert again["artifacts"] == whole.made["artifacts"]
    assert again["run"] == whole.made["run"]


@pytest.mark.slow("three runs of the pipeline")
def test_the_cache_answers_for_what_has_not_changed(whole: Whole, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    sampled = run(*without(whole.arguments, "sample.length"), "--set=sample.length=20")
    assert sampled["stages"] == {**CACHED, "sample": "executed", "report": "executed"}
    assert sampled["artifacts"]["model"] == whole.made["artifacts"]["model"]
    assert sampled["run"] != whole.made["run"]

    source = Path(whole.arguments[1])
    text = source.read_text()
    source.write_text(text + "One line more, of the same length and name or not. ")
    changed = run(*whole.arguments)
    source.write_text(text)
    assert changed["stages"] == EXECUTED

    monkeypatch.setattr(run_arguments, "suite_version", lambda: "9.9.9")
    assert run(*whole.arguments)["stages"] == EXECUTED


def assert_traced(result: dict[str, Any]) -> None:
    """Every artifact verifies, and names the one it was made from."""
    made_from = {"dataset": "corpus", "model": "dataset", "samples": "model"}
    paths = {name: Path(path) for name, path in result["artifacts"].items()}
    for kind, source in made_from.items():
        assert verify(paths[kind], kind).made_from == {source: digest(paths[source])}
    assert verify(paths["corpus"], "corpus").counts["characters"] > 0
    assert (paths["checkpoints"] / "LATEST").is_file()
    assert verify(paths["report"], "report").made_from == {"samples": digest(paths["samples"])}
    page = (paths["report"] / "report.html").read_text(encoding="utf-8")
    assert all(digest(paths[kind])[:16] in page for kind in ("corpus", "dataset", "model", "samples"))
    assert "not this one" not in page
    for kind in ("corpus", "model", "samples", "report"):
        assert (paths[kind].parent / "page").read_bytes() == (paths[kind] / "report.html").read_bytes()


@pytest.mark.slow("two runs of the pipeline")
def test_a_damaged_artifact_is_not_taken_from_the_cache(
    run: Run, tiny: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    made = run(*tiny)
    weights = Path(made["artifacts"]["model"]) / "model.keras"
    damaged = bytearray(weights.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    weights.write_bytes(bytes(damaged))
    changed = [*without(tiny, "sample.length"), "--set=sample.length=20"]
    for arguments in (tiny, changed):  # answered by the cache alone, and read by a stage
        with pytest.raises(SystemExit) as stopped:
            main(["run", *arguments])
        assert stopped.value.code == 1
        error = capsys.readouterr().err.splitlines()[-1]
        assert str(weights) in error
        assert f"remove {Path(made['artifacts']['model']).parent}" in error
    shutil.rmtree(Path(made["artifacts"]["model"]).parent)
    assert run(*tiny)["stages"] == {**EXECUTED, "ingest": "cached", "vectorize": "cached"}


@pytest.mark.slow("a run of the pipeline")
def test_text_that_holds_the_engines_own_word_reaches_the_stage_unchanged(
    run: Run, tiny: list[str], tmp_path: Path
) -> None:
    source = tmp_path / "a python3 folder" / "python3.txt"
    source.parent.mkdir()
    source.write_text("python3 is not python2. " * 60)
    prompt = "python3 is"
    made = run("--source", str(source), *tiny[2:], f"--set=sample.prompts={prompt}")
    row = json.loads(next(Path(made["artifacts"]["samples"]).glob("*.jsonl")).read_text().splitlines()[0])
    assert row["prompt"] == prompt


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--source", "nowhere.txt"], 1, "nowhere.txt: no such file"),
        (["--set=vectorize.length=999999"], 1, "one window and its target take 1,000,000"),
        (["--recipe", "quik"], 2, "no recipe 'quik'; did you mean quick?"),
        (["--set=train.epoch=3"], 2, "unknown setting train.epoch; did you mean train.epochs?"),
        (["--recipe", "nietzsche", "--source", ""], 2, "recipe nietzsche has no text of its own"),
    ],
)
def test_bad_input_is_one_line_and_an_exit_code(
    arguments: list[str], code: int, message: str, tiny: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    settings = without(tiny, "vectorize.length")
    with pytest.raises(SystemExit) as stopped:
        main(["run", *(settings[2:] if "--source" in arguments else settings), *arguments])
    assert stopped.value.code == code
    out, err = capsys.readouterr()
    assert out == ""
    errors = [line for line in err.splitlines() if "error" in line]
    assert len(errors) == 1
    assert message in errors[0]
    assert "Traceback" not in err


@pytest.mark.slow("a run of the pipeline")
def test_a_prompt_outside_the_vocabulary_is_wrong_use_and_costs_no_training_twice(
    run: Run, tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "runs" / "logs").mkdir(parents=True)  # as an earlier run leaves it
    with pytest.raises(SystemExit) as stopped:
        main(["run", *tiny, "--set=sample.prompts=Ωmega"])
    assert stopped.value.code == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert "'Ω' at character 1" in error
    assert "; remove" not in error
    fixed = run(*tiny, "--set=sample.prompts=The 1")
    assert fixed["stages"] == {**CACHED, "sample": "executed", "report": "executed"}


def test_without_json_a_run_ends_with_where_things_are_the_loss_and_a_sample(
    whole: Whole, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", *whole.arguments]) == 0
    out = capsys.readouterr().out
    for name in ("corpus", "dataset", "checkpoints", "model", "samples"):
        assert re.search(rf"^  {name} +{re.escape(str(whole.root))}/\S+/{name}$", out, re.MULTILINE)
    assert re.search(r"^  report +\S+/report/report/report\.html$", out, re.MULTILINE)
    assert re.search(r"^Held-out loss [\d.]+ nats per token, [\d.]+ bits per character", out, re.MULTILINE)
    assert re.search(r"^A sample at temperature 0.7, after '", out, re.MULTILINE)


@pytest.mark.slow("a run of the pipeline")
def test_shards_side_by_side_make_the_samples_of_one_process(whole: Whole, run: Run, tmp_path: Path) -> None:
    sharded = tmp_path / "sharded.yaml"
    sharded.write_text("sample: {shards: 2}\n")
    root, printing, handlers = logging.getLogger(), builtins.print, list(logging.getLogger().handlers)
    before = runs_with_samples(whole.root)
    assert whole.made["run"] in before
    halves = run(*whole.arguments, "--environment", str(sharded))
    assert halves["stages"] == {**CACHED, "sample": "executed", "report": "executed"}
    assert (builtins.print, root.handlers) == (printing, handlers)
    one, two = (Path(made["artifacts"]["samples"]) for made in (whole.made, halves))
    assert one != two
    (texts,) = one.glob("*.jsonl")
    assert (two / texts.name).read_bytes() == texts.read_bytes()
    assert verify(two, "samples").config == verify(one, "samples").config
    assert_traced(halves)

    assert run(*whole.arguments, "--environment", str(sharded))["stages"] == CACHED
    assert runs_with_samples(whole.root) == sorted([*before, halves["run"]])


def runs_with_samples(root: Path) -> list[str]:
    return sorted(artifact.run for artifact in find(str(root)) if artifact.manifest.kind == "samples")


def test_a_pipeline_that_shards_takes_no_shards_from_its_settings(
    tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sharded = tmp_path / "sharded.yaml"
    sharded.write_text("sample: {shards: 2}\n")
    with pytest.raises(SystemExit) as stopped:
        main(["run", *tiny, "--environment", str(sharded), "--set=sample.shards=3"])
    assert stopped.value.code == 2
    assert "sample.shards: the environment sharded already has 2 shards; leave it at 1" in capsys.readouterr().err
