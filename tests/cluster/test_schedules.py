"""`quillflow schedule`: the cluster is made to match the files, and nothing is touched that matches or is not ours."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kfp_server_api as kfp
import pytest
import yaml

from tests.cluster.conftest import NIGHTLY, Command
from tests.cluster.server import Server

Write = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "schedules"
    folder.mkdir()
    return folder


@pytest.fixture
def write(folder: Path) -> Write:
    """Write a schedule's file: the nightly one, with changes."""

    def write(**changes: Any) -> Path:
        values = {**NIGHTLY, "settings": {"train": {"epochs": 3}}, **changes}
        path = folder / f"{values['name']}.yaml"
        path.write_text(yaml.safe_dump(values))
        return path

    return write


@pytest.fixture
def apply(quillflow: Command, folder: Path) -> Callable[[], dict[str, str]]:
    def apply() -> dict[str, str]:
        code, out, err = quillflow("schedule", "apply", str(folder), "--json")
        assert code == 0, err
        return dict(json.loads(out))

    return apply


def test_a_file_becomes_a_recurring_run_without_overlap_or_backfill(
    server: Server, write: Write, apply: Callable[[], dict[str, str]]
) -> None:
    write()
    assert apply() == {"nightly": "created"}
    (recurring,) = server.api.recurring.values()
    assert recurring.trigger.cron_schedule.cron == "0 30 2 * * *"
    assert (recurring.max_concurrency, recurring.no_catchup, recurring.mode) == ("1", True, "ENABLE")
    assert recurring.display_name == "nightly"
    parameters = recurring.runtime_config.parameters
    assert (parameters["source"], parameters["train"]["epochs"]) == ("gs://lab/tale.txt", 3)


def test_no_two_scheduled_runs_give_ingest_the_same_arguments(
    server: Server, write: Write, apply: Callable[[], dict[str, str]]
) -> None:
    """The cache answers a task whose arguments are the same, and cannot see that a source has changed."""
    write()
    apply()
    (recurring,) = server.api.recurring.values()
    assert recurring.runtime_config.parameters["source_digest"] == "[[ScheduledTime]]"


def test_a_scheduled_run_has_the_environments_settings_beneath_the_files(
    server: Server, write: Write, quillflow: Command, in_bucket: str, environment: Path
) -> None:
    assert in_bucket
    values = yaml.safe_load(environment.read_text())
    gates = {"shrinks_at_most": 0.3, "repeats_at_most": 0.5}
    environment.write_text(yaml.safe_dump({**values, "settings": {"ingest": gates, "train": {"seed": 9}}}))
    code, _, err = quillflow("schedule", "apply", str(write(settings={"ingest": {"repeats_at_most": 0.9}}).parent))
    assert code == 0, err
    (recurring,) = server.api.recurring.values()
    ingest, train = (recurring.runtime_config.parameters[stage] for stage in ("ingest", "train"))
    assert (ingest["shrinks_at_most"], ingest["repeats_at_most"]) == (0.3, 0.9)
    assert train["seed"] == 9


def test_without_held_out_text_nothing_is_scheduled_where_a_champion_is_kept(
    server: Server, write: Write, quillflow: Command, in_bucket: str
) -> None:
    assert in_bucket
    code, _, err = quillflow("schedule", "apply", str(write(settings={"vectorize": {"held_out": 0}}).parent))
    assert (code, "vectorize.held_out: the environment lab has a champion" in err) == (2, True)
    assert not server.changes()


def test_applying_again_says_so_and_changes_nothing(server: Server, write: Write, quillflow: Command) -> None:
    directory = str(write().parent)
    assert quillflow("schedule", "apply", directory)[1].split() == ["nightly", "created"]
    server.faults.seen.clear()
    assert quillflow("schedule", "apply", directory)[1].split() == ["nightly", "unchanged"]
    assert not server.changes()


@pytest.mark.parametrize(
    "change",
    [
        {"cron": "0 0 4 * * *"},
        {"recipe": "best"},
        {"source": "gs://lab/other.txt"},
        {"settings": {"train": {"epochs": 4}}},
        {"enabled": False},
    ],
)
def test_a_changed_file_takes_the_place_of_the_old_one(
    server: Server, write: Write, apply: Callable[[], dict[str, str]], change: dict[str, Any]
) -> None:
    write()
    apply()
    (before,) = server.api.recurring
    write(**change)
    assert apply() == {"nightly": "changed"}
    (after,) = server.api.recurring
    assert after != before
    assert apply() == {"nightly": "unchanged"}


def test_another_pipeline_changes_the_schedule_too(
    write: Write, apply: Callable[[], dict[str, str]], environment: Path
) -> None:
    write()
    apply()
    environment.write_text(environment.read_text() + "retries: {count: 3}\n")
    assert apply() == {"nightly": "changed"}


def test_what_was_paused_by_hand_is_as_its_file_says_again(
    server: Server, write: Write, apply: Callable[[], dict[str, str]]
) -> None:
    write()
    apply()
    next(iter(server.api.recurring.values())).status = "DISABLED"
    assert apply() == {"nightly": "changed"}
    assert [one.status for one in server.api.recurring.values()] == ["ENABLED"]


def test_a_removed_file_removes_its_recurring_run_and_leaves_those_of_others(
    server: Server, write: Write, apply: Callable[[], dict[str, str]]
) -> None:
    path = write()
    write(name="weekly", cron="0 0 3 * * 1")
    assert apply() == {"nightly": "created", "weekly": "created"}
    nightly = next(one for one in server.api.recurring.values() if one.display_name == "nightly")
    for number, description in enumerate(("somebody's own", nightly.description.replace("of lab", "of elsewhere"))):
        other = kfp.V2beta1RecurringRun(**{**nightly.to_dict(), "description": description})
        other.recurring_run_id = f"other-{number}"
        server.api.recurring[other.recurring_run_id] = other
    path.unlink()
    assert apply() == {"weekly": "unchanged", "nightly": "removed"}
    assert sorted(one.display_name for one in server.api.recurring.values()) == ["nightly", "nightly", "weekly"]
    assert {"other-0", "other-1"} < set(server.api.recurring)


def test_files_of_other_environments_are_left_to_those(
    server: Server, write: Write, apply: Callable[[], dict[str, str]]
) -> None:
    write(environment="gke")
    assert apply() == {}
    assert not server.api.recurring


@pytest.mark.parametrize("change", ["apply", "rm", "apply without its file"])
def test_a_run_that_a_schedule_has_started_continues_when_the_schedule_changes_or_goes(
    server: Server, write: Write, quillflow: Command, apply: Callable[[], dict[str, str]], change: str
) -> None:
    path = write()
    apply()
    (recurring,) = server.api.recurring
    run = server.api.fire(recurring)
    if change == "apply":
        write(cron="0 0 4 * * *")
        assert apply() == {"nightly": "changed"}
    elif change == "rm":
        assert quillflow("schedule", "rm", "nightly")[0] == 0
    else:
        path.unlink()
        assert apply() == {"nightly": "removed"}
    assert recurring not in server.api.recurring
    assert run in server.api.workflows


def test_at_no_time_is_there_no_schedule(
    server: Server, write: Write, quillflow: Command, apply: Callable[[], dict[str, str]]
) -> None:
    directory = str(write().parent)
    apply()
    write(cron="0 0 4 * * *")
    server.faults.add("400 full", "POST .*/recurringruns")
    assert quillflow("schedule", "apply", directory)[0] == 1
    assert len(server.api.recurring) == 1
    server.faults.add("503", "DELETE")
    assert quillflow("schedule", "apply", directory)[0] == 1
    assert len(server.api.recurring) == 2
    apply()
    (recurring,) = server.api.recurring.values()
    assert recurring.trigger.cron_schedule.cron == "0 0 4 * * *"


def test_schedules_are_listed_and_removed_by_name(
    server: Server, write: Write, quillflow: Command, apply: Callable[[], dict[str, str]]
) -> None:
    assert quillflow("schedule", "ls")[1] == "no schedules\n"
    write()
    apply()
    lines = quillflow("schedule", "ls")[1].splitlines()
    assert lines[1].split() == ["nightly", "0", "30", "2", "*", "*", "*", "enabled", "gs://lab/tale.txt"]
    code, _, err = quillflow("schedule", "rm", "weekly")
    assert (code, err) == (1, "error: no schedule weekly of lab is on the cluster; there is nightly\n")
    assert quillflow("schedule", "rm", "nightly")[:2] == (0, "nightly              removed\n")
    assert not server.api.recurring


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cron": "30 2 * * *"}, "cron: must have six fields, seconds first, such as '0 30 2 * * *'"),
        ({"cron": "0 30 24 * * *"}, "cron: hours can't be '24'"),
        ({"cron": 5}, "cron: input should be a valid string"),
        ({"recipe": "quik"}, "no recipe 'quik'; did you mean quick?"),
        ({"settings": {"train": {"epoch": 3}}}, "unknown setting train.epoch; did you mean train.epochs?"),
        ({"settings": {"trian": {}}}, "settings: no stage 'trian'; did you mean train?"),
        ({"source": "tale.txt"}, "--source tale.txt: is on this machine"),
        ({"source": "", "recipe": "nietzsche"}, "recipe nietzsche has no text of its own; name one as source"),
        ({"name": "Nightly!"}, "name: must be lowercase letters, digits and hyphens"),
        ({"when": "now"}, "when: extra inputs are not permitted"),
    ],
)
def test_a_wrong_file_is_named_and_nothing_is_applied(
    server: Server, write: Write, quillflow: Command, change: dict[str, Any], message: str
) -> None:
    write(name="good")
    path = write(**change)
    code, out, err = quillflow("schedule", "apply", str(path.parent))
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert f"{path}: {message}" in err
    assert not server.faults.seen


def test_settings_that_do_not_go_with_the_environment_are_refused(
    server: Server, write: Write, quillflow: Command, environment: Path
) -> None:
    environment.write_text(environment.read_text() + "sample: {shards: 4}\n")
    path = write(settings={"sample": {"shards": 2}})
    code, _, err = quillflow("schedule", "apply", str(path.parent))
    assert (code, "sample.shards: the environment lab already has 4 shards" in err) == (2, True)
    assert not server.changes()


def test_two_files_of_one_name_are_refused(write: Write, quillflow: Command) -> None:
    path = write()
    again = path.with_name("zz.yaml")
    again.write_text(path.read_text())
    code, _, err = quillflow("schedule", "apply", str(path.parent))
    assert (code, f"{again}: name: nightly is also the name of {path}" in err) == (2, True)


@pytest.mark.parametrize("text", ["a: [", "- 1", "\xff"])
def test_a_file_that_is_no_schedule_is_named(write: Write, quillflow: Command, text: str) -> None:
    path = write()
    path.write_bytes(text.encode("latin-1"))
    code, _, err = quillflow("schedule", "apply", str(path.parent))
    assert (code, str(path) in err, len(err.splitlines())) == (2, True, 1)


def test_a_directory_that_is_not_there_does_not_empty_the_cluster(
    server: Server, quillflow: Command, tmp_path: Path
) -> None:
    code, _, err = quillflow("schedule", "apply", str(tmp_path / "nowhere"))
    assert (code, "no such directory" in err) == (2, True)
    assert not server.faults.seen


def test_the_schedules_that_come_with_quillflow_are_right() -> None:
    from pipelines.cluster.schedule_files import read

    assert [one.name for one in read(Path(__file__).parents[2] / "deploy" / "schedules")]
