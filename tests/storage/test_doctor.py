"""`quillflow doctor --root` against each kind of store."""

import json

import pytest

from components.artifacts.storage import place_of
from pipelines.cli import main
from tests.storage import servers

PROBES = ("write", "conditional write", "delete")


def verdicts(capsys: pytest.CaptureFixture[str], root: str) -> tuple[int, dict[str, str]]:
    """The exit code, and what is said of the store."""
    capsys.readouterr()
    code = main(["doctor", "--json", "--root", root])
    checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    return code, {name: checks[name]["verdict"] for name in PROBES if name in checks}


def test_a_store_that_heeds_conditions_is_well_and_keeps_nothing(root: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert verdicts(capsys, root) == (0, dict.fromkeys(PROBES, "ok"))
    place = place_of(root)
    assert not list(place.store.list(place.key))


@pytest.mark.parametrize("kind", ["gs", "s3"])
def test_a_bucket_that_refuses_writing_fails(
    root: str, faults: servers.Faults, capsys: pytest.CaptureFixture[str]
) -> None:
    faults.add("403", "^(PUT|POST) ", times=9)
    assert verdicts(capsys, root) == (1, {"write": "fail"})


@pytest.mark.parametrize("kind", ["gs", "s3"])
def test_a_bucket_that_refuses_deleting_fails(
    root: str, faults: servers.Faults, capsys: pytest.CaptureFixture[str]
) -> None:
    faults.add("403", "^DELETE ", times=9)
    code, found = verdicts(capsys, root)
    assert (code, found["write"], found["delete"]) == (1, "ok", "fail")
