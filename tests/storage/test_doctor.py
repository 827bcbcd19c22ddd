"""`quillflow doctor --root` against each kind of store."""

import json

import pytest

from components.artifacts.storage import place_of
from pipelines.commands.main import main
from tests.storage import servers
from tests.storage.amazon import AmazonProxy

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


@pytest.mark.parametrize("kind", ["s3"])
@pytest.mark.usefixtures("fresh_clients")
@pytest.mark.parametrize("habit", ["no conditions", "no notice", "no notice of versions"])
def test_a_server_without_conditional_writes_is_reported_and_keeps_nothing(
    root: str, amazon: AmazonProxy, capsys: pytest.CaptureFixture[str], habit: str
) -> None:
    amazon.habits.add(habit)
    try:
        assert verdicts(capsys, root) == (1, {"conditional write": "fail", "delete": "ok"})
    finally:
        amazon.habits.clear()
    at = place_of(root)
    assert not list(at.store.list(at.key))
