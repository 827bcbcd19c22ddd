"""The run in an artifact's place, as Kubeflow lays artifacts out on this machine and in a bucket."""

import pytest

from components.artifacts.layout import above, run_of, run_path

UUID = "0b9d6f6c-7a55-4c58-9f6e-0123456789ab"
BUCKET = "gs://bucket/runs/text-generation/7"


@pytest.mark.parametrize(
    ("place", "stage", "run"),
    [
        ("/runs/7/ingest/corpus", "ingest", "/runs/7"),
        ("/runs/7/sample-gather/samples", "sample", "/runs/7"),
        ("/runs/7/for-loop-2-iteration-0/sample-shard/shard", "sample", "/runs/7"),
        ("/runs/7/train/checkpoints/0000000008-0123abcd", "train", "/runs/7"),
        (f"{BUCKET}/train/{UUID}/model", "train", BUCKET),
        (f"{BUCKET}/sample-shard/{UUID}/shard", "sample", BUCKET),
        (f"{BUCKET}/train/{UUID}/checkpoints/0000000008-0123abcd", "train", BUCKET),
        ("/runs/mine/model", "train", ""),
        ("/runs/trainer/model", "train", ""),
        ("/runs/0000000008-0123abcd", "train", ""),
        ("model", "train", ""),
        ("", "train", ""),
        (f"jobs/{UUID}/model", "train", ""),
    ],
)
def test_the_run_is_above_the_stages_task(place: str, stage: str, run: str) -> None:
    assert run_path(place, stage) == run
    assert run_of(place, stage) == run.rpartition("/")[2]


def test_above_an_artifact_are_its_run_and_all_runs() -> None:
    assert above("/runs/7/train/model", "train") == ["/runs/7", "/runs"]
    assert above(f"{BUCKET}/train/{UUID}/model", "train") == [BUCKET, "gs://bucket/runs"]
    assert above("/runs/mine/model", "train") == []
