"""`quillflow schedule check` exits 1 if a schedule has had no success lately, with its name and since when."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from tests.cluster.conftest import NIGHTLY, Command
from tests.cluster.server import Server


@pytest.fixture
def nightly(server: Server, quillflow: Command, tmp_path: Path) -> str:
    """The id of a schedule's recurring run that was created long ago."""
    (tmp_path / "schedules").mkdir()
    (tmp_path / "schedules" / "nightly.yaml").write_text(yaml.safe_dump(NIGHTLY))
    assert quillflow("schedule", "apply", str(tmp_path / "schedules"))[0] == 0
    return next(iter(server.api.recurring))


def ended(server: Server, nightly: str, hours_ago: float, state: str = "SUCCEEDED") -> datetime:
    """A run of the schedule that ended some hours ago; when."""
    run = server.api.fire(nightly)
    server.api.end(run, state)
    server.api.runs[run].finished_at = datetime.now(UTC) - timedelta(hours=hours_ago)
    return server.api.runs[run].finished_at  # type: ignore[no-any-return]


def test_a_schedule_that_succeeded_lately_is_well(server: Server, quillflow: Command, nightly: str) -> None:
    ended(server, nightly, 49)
    when = ended(server, nightly, 25)
    ended(server, nightly, 1, "FAILED")
    code, out, err = quillflow("schedule", "check")
    assert (code, out, err) == (0, f"nightly              last success {when:%Y-%m-%d %H:%M:%S} UTC\n", "")
    assert json.loads(quillflow("schedule", "check", "--json")[1])["schedules"] == [
        {"name": "nightly", "enabled": True, "succeeded": when.isoformat(timespec="seconds")}
    ]


@pytest.mark.parametrize(("within", "expected"), [("26h", 1), ("1700m", 0), ("2d", 0)])
def test_one_that_did_not_is_named_with_its_last_success(
    server: Server, quillflow: Command, nightly: str, within: str, expected: int
) -> None:
    when = ended(server, nightly, 27)
    for hours_ago in (3, 2):
        ended(server, nightly, hours_ago, "FAILED")
    code, _, err = quillflow("schedule", "check", "--within", within)
    assert code == expected
    if expected:
        named = f"nightly (since {when:%Y-%m-%d %H:%M:%S} UTC)"
        assert err == f"error: no success within 26h: {named}; quillflow runs ls shows what its runs came to\n"


def test_one_on_which_nothing_ran_is_overdue_since_it_was_created(
    server: Server, quillflow: Command, nightly: str
) -> None:
    quillflow("submit", "--name", "by-hand")
    server.api.end(next(iter(server.api.runs)))
    created = server.api.recurring[nightly].created_at
    code, out, err = quillflow("schedule", "check", "--json")
    assert (code, json.loads(out)["schedules"][0]["succeeded"]) == (1, None)
    assert f"nightly (since {created:%Y-%m-%d %H:%M:%S} UTC)" in err


def test_a_new_or_a_paused_schedule_is_not_overdue(server: Server, quillflow: Command, nightly: str) -> None:
    recurring = server.api.recurring[nightly]
    recurring.status = "DISABLED"
    code, out, _ = quillflow("schedule", "check")
    assert (code, "paused; no success" in out) == (0, True)
    recurring.status, recurring.created_at = "ENABLED", datetime.now(UTC)
    assert quillflow("schedule", "check")[0] == 0


def test_a_schedule_that_is_gone_is_an_error(server: Server, quillflow: Command) -> None:
    code, _, err = quillflow("schedule", "check")
    assert (code, "no schedule of lab is on the cluster" in err) == (1, True)
    assert not server.changes()


@pytest.mark.parametrize("within", ["26", "h", "0h", "26 h", "-1h", "2w"])
def test_a_time_that_is_none_is_refused(quillflow: Command, within: str) -> None:
    code, _, err = quillflow("schedule", "check", f"--within={within}")
    assert (code, f"--within {within}: write a number with m, h or d, such as 26h" in err) == (2, True)
