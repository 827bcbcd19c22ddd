"""`quillflow run --runner docker`: the whole pipeline in its images, by a user who is not root."""

import json
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from components.artifacts import champion, storage
from components.artifacts.manifest import digest, verify
from components.artifacts.storage import place
from pipelines.commands.main import main
from tests.arguments import without
from tests.containers.running import Caller, Ended
from tests.storage.amazon import amazon_server

EXECUTED = dict.fromkeys(("ingest", "vectorize", "train", "sample", "report"), "executed")
CACHED = dict.fromkeys(EXECUTED, "cached")
TINY = {
    "vectorize.length": 16,
    "train.units": 16,
    "train.batch": 8,
    "train.epochs": 1,
    "sample.length": 20,
    "sample.count": 1,
}


@pytest.fixture
def tiny(caller: Caller) -> Iterator[list[str]]:
    """Arguments of a run that takes little training, on a text beside the root."""
    source = caller.home / "foxes.txt"
    source.write_text("".join(f"The {n} brown foxes jump over {n * 7 % 11} lazy dogs. " for n in range(120)))
    settings = [f"--set={name}={value}" for name, value in TINY.items()]
    yield ["--recipe", "quick", "--source", str(source), "--root", str(caller.runs), *settings]
    shutil.rmtree(caller.runs, ignore_errors=True)


def made(ended: Ended) -> dict[str, Any]:
    assert ended.code == 0, ended.err
    result: dict[str, Any] = json.loads(ended.out)
    return result


def first_row(result: dict[str, Any]) -> dict[str, Any]:
    path = min(Path(result["artifacts"]["samples"]).glob("*.jsonl"))
    row: dict[str, Any] = json.loads(path.read_text().splitlines()[0])
    return row


def running(engine: Any, stage: str) -> Any:
    """The container in which a stage runs now."""
    return next(each for each in engine.containers.list() if f"quillflow/{stage}:" in each.image.tags[0])


def test_a_run_in_containers_is_the_callers_and_the_cache_answers_for_what_has_not_changed(
    caller: Caller, tiny: list[str]
) -> None:
    ended = caller(*tiny)
    first = made(ended)
    assert first["stages"] == EXECUTED
    paths = {name: Path(uri) for name, uri in first["artifacts"].items()}
    for kind, source in {"dataset": "corpus", "model": "dataset", "samples": "model"}.items():
        assert verify(paths[kind], kind).made_from == {source: digest(paths[source])}
    assert {path.lstat().st_uid for path in caller.runs.rglob("*")} == {caller.user}
    assert re.search(r"^train +epoch 1: loss [\d.]+", ended.err, re.MULTILINE)
    assert not re.search("KFP|Warning|Traceback", ended.err)
    assert not [path for path in caller.home.iterdir() if path.name.startswith(("quillflow-", "kfp-"))]

    assert made(caller(*tiny))["stages"] == CACHED

    prompts = caller.home / "prompts.txt"
    prompts.write_text("The 1\n")
    sampled = made(caller(*tiny, f"--set=sample.prompts_file={prompts}"))
    assert sampled["stages"] == {**CACHED, "sample": "executed", "report": "executed"}
    assert first_row(sampled)["prompt"] == "The 1"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_run_that_is_stopped_saves_and_is_resumed_where_it_was(
    number: int, code: int, caller: Caller, tiny: list[str], engine: Any
) -> None:
    process = caller.start(
        *without(tiny, "train.epochs"), "--set=train.epochs=100000", "--set=train.checkpoint_seconds=1"
    )
    assert process.stderr is not None
    seen = ""
    for line in process.stderr:
        seen += line
        if re.search(r"^train +epoch 2:", line):
            process.send_signal(number)
            break
    seen += process.stderr.read()
    assert process.wait(timeout=60) == code, seen
    assert "Error" not in seen
    assert ("press Ctrl-C again to stop at once" in seen) == (number == signal.SIGINT)
    saved = re.search(r"saved at train step ([\d,]+)", seen)
    init_from = re.search(r"--set train\.init_from=(\S+)", seen)
    assert saved is not None, seen
    assert init_from is not None, seen
    assert not [each for each in engine.containers.list(all=True) if "quillflow/" in str(each.image.tags)]

    # Its checkpoints are moved out of the root, so that they are seen only if they are mounted.
    elsewhere = caller.home / "checkpoints"
    shutil.move(init_from[1], elsewhere)
    further = f"--set=train.train_steps={int(saved[1].replace(',', '')) + 3}"
    ended = caller(
        *without(tiny, "train.epochs"),
        further,
        f"--set=train.init_from={elsewhere}",
    )
    assert f"resumed at train step {saved[1]}" in ended.err
    assert made(ended)["stages"]["train"] == "executed"
    shutil.rmtree(elsewhere)


@pytest.mark.parametrize("how", ["kill", "remove"])
def test_a_stage_whose_container_vanishes_has_failed(how: str, caller: Caller, tiny: list[str], engine: Any) -> None:
    process = caller.start(*without(tiny, "train.epochs"), "--set=train.epochs=100000")
    assert process.stderr is not None
    for line in process.stderr:
        if re.search(r"^train +epoch 2:", line):
            container = running(engine, "train")
            container.kill() if how == "kill" else container.remove(force=True)
            break
    seen = process.stderr.read()
    assert process.wait(timeout=60) == 128 + signal.SIGKILL
    assert seen.splitlines()[-1].startswith("error: train: killed by SIGKILL, ")
    assert "Traceback" not in seen


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--source", "/nowhere/tale.txt"], 1, "/nowhere/tale.txt: no such file"),
        (["--set=sample.prompts=Ωmega"], 2, "'Ω' at character 1"),
    ],
)
def test_a_stage_that_fails_is_one_line_and_its_exit_code(
    arguments: list[str], code: int, message: str, caller: Caller, tiny: list[str]
) -> None:
    ended = caller(*tiny, *arguments)
    assert ended.code == code
    assert ended.out == ""
    errors = [line for line in ended.err.splitlines() if "error" in line]
    assert len(errors) == 1
    assert message in errors[0]


def test_a_runs_artifacts_can_go_to_a_bucket_whose_server_is_on_this_machine(
    caller: Caller, tiny: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with amazon_server() as amazon:
        amazon.make_bucket("bucket")
        place._bucket.cache_clear()
        for name, value in amazon.environment.items():
            monkeypatch.setenv(name, value)
        elsewhere = [argument.replace(str(caller.runs), "s3://bucket/runs") for argument in tiny]
        result = made(caller(*elsewhere))
        for uri in result["artifacts"].values():
            assert uri.startswith(f"s3://bucket/runs/{result['run']}/")
        assert storage.read_file(f"{result['artifacts']['samples']}/manifest.json") is not None
        logs = [path.read_text() for path in caller.home.rglob("logs/*.log")]
        assert logs
        assert amazon.environment["AWS_SECRET_ACCESS_KEY"] == "testing"
        assert not [text for text in logs if "AWS_SECRET_ACCESS_KEY" in text]


def test_a_missing_image_is_named_with_what_makes_it(
    engine: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert engine.ping()
    monkeypatch.setattr("pipelines.local.containers.checkout_tag", lambda: "0.0.0")
    with pytest.raises(SystemExit) as stopped:
        main(["run", "--runner", "docker", "--recipe", "quick", "--root", str(tmp_path / "runs")])
    assert stopped.value.code == 1
    assert capsys.readouterr().err == (
        "error: --runner docker: there is no image quillflow/ingest:0.0.0; "
        "build the images of this checkout with: make images\n"
    )
    assert not (tmp_path / "runs").exists()


@pytest.mark.skipif(Path("/dev/nvidiactl").exists(), reason="shows by a refusal that a GPU was asked for; here is one")
def test_where_a_gpu_is_the_image_for_it_trains_and_is_given_it(
    engine: Any,
    name_of: Callable[[str], str],
    tiny: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("pipelines.local.containers._has_gpu", lambda _: True)
    monkeypatch.setattr("pipelines.local.containers.checkout_tag", lambda: "0.0.0-gpu")
    names = {"ingest": "ingest", "vectorize": "vectorize", "train": "train-gpu", "sample": "sample"}
    for target, name in names.items():
        engine.images.get(name_of(target)).tag(f"quillflow/{name}", "0.0.0-gpu")
    try:
        with pytest.raises(SystemExit) as stopped:
            main(["run", "--runner", "docker", *tiny])
    finally:
        for name in names.values():
            engine.images.remove(f"quillflow/{name}:0.0.0-gpu")
    assert stopped.value.code == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert "the Docker engine can't run quillflow/train-gpu:0.0.0-gpu: " in error
    assert "gpu" in error.rpartition(": ")[2]


def test_a_run_in_containers_moves_the_champion_beside_its_runs(caller: Caller, tiny: list[str]) -> None:
    environment = caller.home / "box.yaml"
    environment.write_text(f"cluster: {{champion: {caller.runs}/champion}}\n")
    result = made(caller(*tiny, f"--environment={environment}"))
    assert result["stages"]["promote"] == "executed"
    assert champion.read(str(caller.runs / "champion")).model == result["artifacts"]["model"]
