"""Times on a command line."""

from datetime import timedelta

import pytest

from components.artifacts.errors import UsageError
from pipelines.inputs.durations import parse_duration


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90m", timedelta(minutes=90)), ("26h", timedelta(hours=26)), ("2d", timedelta(days=2))],
)
def test_a_time_has_a_unit(text: str, expected: timedelta) -> None:
    assert parse_duration(text, "--within") == expected


@pytest.mark.parametrize("text", ["", "26", "0h", "-1h", "1.5h", "26 h", "99999h", "1w"])
def test_what_is_no_time_is_refused_by_the_flags_name(text: str) -> None:
    with pytest.raises(UsageError, match=r"--budget .*write a number with m, h or d"):
        parse_duration(text, "--budget")
