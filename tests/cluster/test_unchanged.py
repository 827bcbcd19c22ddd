"""Schedules skip nights on which nothing is new, if the environment or their file says so; `runs ls` shows it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.conftest import NIGHTLY, Command
from tests.cluster.server import Server


def applied(quillflow: Command, tmp_path: Path, **changes: Any) -> tuple[int, str]:
    """The exit code and the error of `schedule apply` with a schedule."""
    folder = tmp_path / "schedules"
    folder.mkdir(exist_ok=True)
    (folder / "nightly.yaml").write_text(yaml.safe_dump({**NIGHTLY, **changes}))
    code, _, err = quillflow("schedule", "apply", str(folder))
    return code, err


def set_cluster(environment: Path, **values: str) -> None:
    there = yaml.safe_load(environment.read_text())
    environment.write_text(yaml.safe_dump({**there, "cluster": {**there["cluster"], **values}}))


@pytest.mark.parametrize(
    ("where", "file", "expected"),
    [
        ({}, {}, "train"),
        ({"on_unchanged": "skip"}, {}, "skip"),
        ({"on_unchanged": "skip"}, {"on_unchanged": "train"}, "train"),
        ({}, {"on_unchanged": "skip"}, "skip"),
        ({"on_unchanged": "skip"}, {"settings": {"train": {"init_from": "gs://lab/checkpoints"}}}, "train"),
    ],
)
def test_a_schedule_says_what_its_environment_does_unless_its_file_says_otherwise(
    server: Server,
    quillflow: Command,
    environment: Path,
    in_bucket: str,
    tmp_path: Path,
    where: dict[str, str],
    file: dict[str, Any],
    expected: str,
) -> None:
    assert in_bucket
    set_cluster(environment, **where)
    assert applied(quillflow, tmp_path, **file)[0] == 0
    (recurring,) = server.api.recurring.values()
    assert recurring.runtime_config.parameters["on_unchanged"] == expected


def test_skip_is_refused_where_it_could_compare_with_nothing(quillflow: Command, tmp_path: Path) -> None:
    code, err = applied(quillflow, tmp_path, on_unchanged="skip")
    assert (code, "nightly: on_unchanged: skip compares with a champion, and the environment lab has none" in err) == (
        2,
        True,
    )


def test_skip_is_refused_where_it_could_not_notice_a_change(quillflow: Command, in_bucket: str, tmp_path: Path) -> None:
    assert in_bucket
    settings = {"train": {"init_from": "gs://lab/checkpoints"}}
    code, err = applied(quillflow, tmp_path, on_unchanged="skip", settings=settings)
    assert (code, "on_unchanged: skip can't notice a change of what train.init_from names" in err) == (2, True)


def test_runs_that_were_skipped_are_listed_as_such(server: Server, quillflow: Command, in_bucket: str) -> None:
    assert in_bucket
    for name in ("skipped", "trained", "failed"):
        quillflow("submit", "--name", name)
    skipped, trained, failed = server.api.runs
    server.api.end(skipped, last="unchanged")
    server.api.end(trained, last="promote")
    server.api.end(failed, "FAILED", "unchanged")
    lines = {line.split()[5]: line for line in quillflow("runs", "ls")[1].splitlines()[1:]}
    assert lines["skipped"].endswith("skipped  unchanged: nothing was trained")
    assert lines["trained"].endswith("trained")
    assert lines["failed"].endswith("failed")
