"""`quillflow sweep --on-cluster`: runs side by side, ranked from the bucket; what fails or takes too long is named."""

import json
import uuid
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipelines.cluster import sweeping
from pipelines.cluster.runs import ENDED
from tests.cluster.conftest import Command, make_artifact
from tests.cluster.server import Server

GETS_A_RUN = "GET .*/runs/[0-9a-f-]+"
SWEEP = ("sweep", "--on-cluster", "--recipe", "quick", "--set", "train.units=8,16,24")


def ends(server: Server, root: str, scratch: Path, bits: dict[int, float | None]) -> None:
    """Let each run that the sweep waits for end: with a model of so many bits, or failed where there are none."""

    def end() -> None:
        for run, kept in server.api.runs.items():
            units = kept.runtime_config.parameters["train"]["units"]
            if kept.state in ENDED or units not in bits:
                continue
            if (value := bits[units]) is None:
                server.api.end(run, "FAILED", "train")
                continue
            files = {"metrics.json": json.dumps({"validation_bits_per_char": value}), "history.jsonl": ""}
            uri = f"{root}/text-generation/{run}/train/{uuid.uuid4()}/model"
            make_artifact(uri, "model", "train", scratch, files, config={"units": units})
            server.api.end(run)

        server.faults.after(GETS_A_RUN, end)

    server.faults.after(GETS_A_RUN, end)


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


def test_runs_are_ranked_by_what_they_left_in_the_bucket(
    server: Server, quillflow: Command, in_bucket: str, scratch: Path
) -> None:
    ends(server, in_bucket, scratch, {8: 2.5, 16: 1.5, 24: 2.0})
    code, out, err = quillflow(*SWEEP, "--page", "page.html")
    assert code == 0, err
    assert [line.split()[-1] for line in out.splitlines()[1:4]] == [
        "train.units=16",
        "train.units=24",
        "train.units=8",
    ]
    assert Path("page.html").exists()
    names = [run.display_name for run in server.api.runs.values()]
    assert [name.rsplit("-", 1)[1] for name in names] == ["1", "2", "3"]
    assert len(server.api.versions) == 1


def test_the_others_start_when_the_first_ones_dataset_is_there_to_be_shared(
    server: Server, quillflow: Command, in_bucket: str, scratch: Path
) -> None:
    there: list[int] = []

    def look(*before: str) -> None:
        there.append(len(server.api.runs))
        stage = ("ingest", "vectorize", "train")[len(before)]
        server.api.reach(next(iter(server.api.runs)), stage, before=before)
        if stage == "train":
            ends(server, in_bucket, scratch, {8: 2.5, 16: 1.5, 24: 2.0})
        else:
            server.faults.after(GETS_A_RUN, lambda: look(*before, stage))

    server.faults.after(GETS_A_RUN, look)
    assert quillflow(*SWEEP)[0] == 0
    assert there == [1, 1, 1]
    assert len(server.api.runs) == 3


def test_a_run_that_fails_is_named_and_the_others_are_ranked(
    server: Server, quillflow: Command, in_bucket: str, scratch: Path
) -> None:
    ends(server, in_bucket, scratch, {8: 2.5, 16: None, 24: 2.0})
    code, out, err = quillflow(*SWEEP)
    assert code == 1
    assert [line.split()[-1] for line in out.splitlines()[1:3]] == ["train.units=24", "train.units=8"]
    assert err.splitlines()[-1] == "error: 1 of the runs failed: train.units=16"


def test_runs_that_have_not_ended_in_time_are_cancelled(
    server: Server, quillflow: Command, in_bucket: str, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hour is over as soon as the first run has ended."""
    first_ended = SimpleNamespace(
        monotonic=lambda: 3600.0 * any(run.state == "SUCCEEDED" for run in server.api.runs.values())
    )
    monkeypatch.setattr(sweeping, "time", first_ended)
    ends(server, in_bucket, scratch, {8: 2.5})
    code, out, err = quillflow(*SWEEP, "--budget", "1h")
    assert code == 0
    assert out.splitlines()[1].endswith("train.units=8")
    assert "the time did not suffice for train.units=16; train.units=24" in err
    assert [run.state for run in server.api.runs.values()] == ["SUCCEEDED", "CANCELED", "CANCELED"]


def test_without_a_place_for_artifacts_nothing_starts(server: Server, quillflow: Command) -> None:
    code, _, err = quillflow(*SWEEP)
    assert (code, "set cluster.pipeline_root" in err) == (2, True)
    assert not server.changes()


def test_more_runs_than_can_be_compared_are_refused(server: Server, quillflow: Command, in_bucket: str) -> None:
    assert in_bucket
    code, _, err = quillflow(*SWEEP, "--set", "train.seed=1,2,3,4,5,6,7,8,9")
    assert (code, "27 combinations are too many to compare; give at most 26" in err) == (2, True)
    assert not server.changes()
