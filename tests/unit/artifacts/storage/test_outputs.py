"""Outputs never cost what is read, nor one another."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from components.artifacts import storage
from components.artifacts.errors import ArtifactError, UsageError
from components.artifacts.manifest import verify, write_manifest
from components.ingest.config import IngestConfig
from components.ingest.ingesting import ingest
from components.report.reporting import report
from components.sample.config import SampleConfig
from components.sample.gathering import gather
from components.sample.sampling import sample
from components.train.config import TrainConfig
from components.train.training import train
from components.vectorize.config import VectorizeConfig
from components.vectorize.vectorizing import vectorize

STAGES: Mapping[str, tuple[Callable[..., Any], tuple[str, ...], tuple[str, ...]]] = {
    "ingest": (lambda **uris: ingest(IngestConfig(), **uris), ("source",), ("corpus",)),
    "vectorize": (lambda **uris: vectorize(VectorizeConfig(), **uris), ("corpus",), ("dataset",)),
    "train": (
        lambda init_from, **uris: train(TrainConfig(init_from=init_from), **uris),
        ("dataset", "init_from"),
        ("checkpoints", "model"),
    ),
    "sample": (
        lambda corpus, prompts_file, **uris: sample(
            SampleConfig(no_copy=9, corpus=corpus, prompts_file=prompts_file), **uris
        ),
        ("model", "corpus", "prompts_file"),
        ("samples",),
    ),
    "gather": (lambda first, second, **uris: gather([first, second], **uris), ("first", "second"), ("samples",)),
    "report": (report, ("corpus", "dataset", "model", "samples"), ("report",)),
}
PAIRS = [
    (stage, name, other)
    for stage, (_, inputs, outputs) in STAGES.items()
    for place, name in enumerate(outputs)
    for other in (*inputs, *outputs[place + 1 :])
]


def fill(directory: Path, kind: str) -> Path:
    directory.mkdir(parents=True)
    (directory / "text.txt").write_text("precious")
    write_manifest(directory, kind=kind, stage="ingest", config={}, counts={}, made_from={})
    return directory


@pytest.mark.parametrize("how", ["same", "link", "output inside", "input inside"])
@pytest.mark.parametrize(("stage", "name", "other"), PAIRS)
def test_no_stage_writes_where_it_reads_or_one_output_into_another(
    stage: str, name: str, other: str, how: str, tmp_path: Path
) -> None:
    work, inputs, outputs = STAGES[stage]
    uris = {each: str(tmp_path / each) for each in (*inputs, *outputs)}
    fill(tmp_path / other, other)
    (tmp_path / "link").symlink_to(tmp_path / other)
    uris[name] = {"same": uris[other], "link": str(tmp_path / "link")}.get(how, f"{uris[other]}/below/it")
    if how == "input inside":
        uris[name], uris[other] = uris[other], uris[name]
    with pytest.raises(UsageError, match="are the same place, or one is inside the other; choose another place for"):
        work(**uris)
    verify(tmp_path / other)


@pytest.mark.parametrize(
    ("output", "source", "apart"),
    [
        ("/a/b", "/a/bc", True),
        ("/a/b", "/a/b/../c", True),
        ("/a/b/", "/a/b/.", False),
        ("file:///a/b", "/a/b/c", False),
        ("gs://bucket/a", "gs://bucket/ab", True),
        ("gs://bucket/a", "gs://other/a", True),
        ("gs://bucket/a", "/a", True),
        ("gs://bucket/a", "gs://bucket/a/", False),
        ("gs://bucket", "gs://bucket/a", False),
        ("s3://bucket/a", "minio://bucket/a/b", False),
        ("s3://bucket/a", "gs://bucket/a", True),
        ("/a/b", "https://example.org/a/b", True),
        ("/a/b", "builtin:python-docs", True),
        ("/a/b", "", True),
    ],
)
def test_places_overlap_as_directories_do(
    output: str, source: str, apart: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:1")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://localhost:1")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    if apart:
        storage.check_outputs({"--corpus": output}, {"--source": source})
        return
    with pytest.raises(UsageError, match=r"^--corpus .* and --source .* are the same place, or one is inside"):
        storage.check_outputs({"--corpus": output}, {"--source": source})


def test_a_link_given_as_output_is_followed_and_stays(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "disk" / "corpus")
    for text in ("one", "two"):
        with storage.outgoing(str(tmp_path / "link"), "corpus") as directory:
            (directory / "text.txt").write_text(text)
            write_manifest(directory, kind="corpus", stage="ingest", config={}, counts={}, made_from={})
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "disk" / "corpus" / "text.txt").read_text() == text
        verify(tmp_path / "disk" / "corpus", "corpus")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["corpus", "disk", "link", "manifest.json", "text.txt"]


@pytest.mark.parametrize("expected", [None, storage.ABSENT])
def test_a_small_file_is_written_through_a_link(tmp_path: Path, expected: str | None) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "champion")
    storage.write_file(str(tmp_path / "link"), b"points", expected=expected)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "champion").read_bytes() == b"points"


def test_training_is_not_started_where_its_model_would_go_over_something_else(tmp_path: Path) -> None:
    places = {name: str(tmp_path / name) for name in ("dataset", "checkpoints")}
    with pytest.raises(ArtifactError, match="holds a corpus, which a model must not replace"):
        train(TrainConfig(), **places, model=str(fill(tmp_path / "corpus", "corpus")))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(ArtifactError, match="holds files that are not an artifact"):
        train(TrainConfig(), **places, model=str(tmp_path / "mine"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "mine"]
