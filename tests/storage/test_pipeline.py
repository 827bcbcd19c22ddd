"""The whole pipeline with its root in a bucket, and a trainer that resumes from checkpoints there."""

import json
from pathlib import Path

import pytest

from components.artifacts import storage
from components.artifacts.manifest import parse_manifest
from pipelines.commands.main import main

TINY = [
    "vectorize.length=16",
    "train.units=16",
    "train.batch=8",
    "train.epochs=2",
    "sample.length=20",
    "sample.count=1",
]


@pytest.mark.slow("whole runs of the pipeline")
@pytest.mark.parametrize("kind", ["gs", "s3"])
def test_the_pipeline_runs_whole_with_its_root_in_a_bucket(
    root: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert root.startswith(f"{kind}://")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source = tmp_path / "tale.txt"
    source.write_text("".join(f"The {n} foxes jump over {n % 7} dogs. " for n in range(100)))
    command = ["run", "--json", "--root", root, "--source", str(source), *(f"--set={value}" for value in TINY)]

    assert main(command) == 0
    made = json.loads(capsys.readouterr().out)
    assert set(made["stages"].values()) == {"executed"}
    for name, uri in made["artifacts"].items():
        assert uri.startswith(f"{root}/{made['run']}/")
        assert storage.read_file(f"{uri}/{'LATEST' if name == 'checkpoints' else 'manifest.json'}") is not None

    assert main(command) == 0
    again = json.loads(capsys.readouterr().out)
    assert set(again["stages"].values()) == {"cached"}
    assert again["artifacts"] == made["artifacts"]

    assert main(["artifacts", "pull", made["run"], str(tmp_path / "run"), "--root", root]) == 0
    assert main(["artifacts", "verify", made["run"], "--root", root, "--json"]) == 0
    capsys.readouterr()
    fetched = sorted(path.relative_to(tmp_path / "run").as_posix() for path in (tmp_path / "run").glob("*/*"))
    assert fetched == ["ingest/corpus", "report/report", "sample/samples", "train/model", "vectorize/dataset"]
    assert main(["artifacts", "show", made["artifacts"]["samples"], "--root", root, "--json"]) == 0
    chain = json.loads(capsys.readouterr().out)["artifacts"][0]["lineage"]
    assert [step["kind"] for step in chain] == ["model", "dataset", "corpus", "source"]

    further = ["--checkpoints", made["artifacts"]["checkpoints"], "--model", f"{root}/longer/model", "--json"]
    settings = ["--recipe=default", "--units=16", "--batch=8", "--epochs=3"]
    assert main(["train", "--dataset", made["artifacts"]["dataset"], *further, *settings]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["metrics"]["steps"] > made["metrics"]["steps"]
    assert f"resumed at train step {made['metrics']['steps']}" in err
    data, _ = storage.read_file(f"{root}/longer/model/manifest.json") or (b"", "")
    assert parse_manifest(data, "model").kind == "model"
