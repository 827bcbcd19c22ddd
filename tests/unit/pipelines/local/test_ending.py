"""What is said where a run fails or is stopped, and of whose training, with two runs in one root."""

import io
from pathlib import Path

import pytest

from components.artifacts.storage import StorageError
from components.command.log import Display
from components.train.checkpoints import LATEST_NAME
from pipelines.local import ending as ends
from pipelines.local.ending import INTERRUPTED, RunError, ending, killed
from pipelines.local.engine import Relay
from tests.storage.trees import fill


@pytest.fixture
def relay() -> Relay:
    """Of a run whose training had started."""
    relay = Relay(Display(io.StringIO()), io.StringIO(), None)
    relay.executed += ["ingest", "vectorize", "train"]
    return relay


def checkpoint(run: Path, step: int) -> Path:
    """A checkpoint of a run; the place of its checkpoints."""
    place = run / "train" / "checkpoints"
    fill(place / f"{step:010d}-0123abcd", {"variables.npz": b"x"}, "checkpoint")
    (place / LATEST_NAME).write_text(f"{step:010d}-0123abcd\n")
    return place


def message(error: RunError | KeyboardInterrupt, signals: list[int], relay: Relay, root: Path) -> str:
    return str(ending(error, signals, relay, str(root), "mine"))


def test_a_stopped_run_shows_of_its_own_training_and_not_of_one_beside_it(tmp_path: Path, relay: Relay) -> None:
    place = checkpoint(tmp_path / "mine", 40)
    checkpoint(tmp_path / "another", 70)
    assert message(KeyboardInterrupt(), [], relay, tmp_path) == (
        f"interrupted; resume training from train step 40 with --set train.init_from={place}"
    )


def test_a_run_that_saved_nothing_does_not_report_of_another(tmp_path: Path, relay: Relay) -> None:
    checkpoint(tmp_path / "another", 70)
    assert message(KeyboardInterrupt(), [], relay, tmp_path) == "interrupted; no train step was saved"


def test_training_that_ended_well_is_not_to_be_resumed(tmp_path: Path, relay: Relay) -> None:
    checkpoint(tmp_path / "mine", 40)
    fill(tmp_path / "mine" / "train" / "model", {"model.keras": b"x"}, "model")
    assert message(RunError("sample: out of luck", 1), [], relay, tmp_path) == "sample: out of luck"


def test_an_artifact_of_an_earlier_run_that_is_damaged_is_to_be_removed_and_ones_own_is_not(
    tmp_path: Path, relay: Relay
) -> None:
    earlier, own = (f"vectorize: {tmp_path}/{run}/ingest/corpus/text.txt: damaged" for run in ("earlier", "mine"))
    assert message(RunError(earlier, 1), [], relay, tmp_path) == (
        f"{earlier}; remove {tmp_path}/earlier/ingest and run again to make it again"
    )
    assert message(RunError(own, 1), [], relay, tmp_path) == own


def test_a_store_that_is_away_does_not_hide_what_ended_the_run(
    tmp_path: Path, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: str) -> int:
        raise StorageError("s3://bucket: can't be reached")

    monkeypatch.setattr(ends, "newest_step", away)
    assert message(RunError("train: failed", 1), [], relay, tmp_path) == "train: failed"
    assert ending(KeyboardInterrupt(), [], relay, str(tmp_path), "mine").exit_code == INTERRUPTED


@pytest.mark.parametrize(("stage", "advice"), [("train", "lower train.batch"), ("sample", "lower sample.batch")])
def test_a_killed_stage_names_the_settings_that_take_less_memory(stage: str, advice: str) -> None:
    said = f"{stage}: killed by SIGKILL, probably because this machine ran out of memory; {advice}"
    assert killed(stage).startswith(said)
