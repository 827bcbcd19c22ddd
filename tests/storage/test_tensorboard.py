"""The mirror of models' logs over each kind of store."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from components.artifacts import storage
from components.artifacts.manifest import write_manifest
from components.artifacts.storage import StorageError, place_of
from components.tensorboard.mirroring import MARK, claim, refresh
from tests.storage import servers

RUN = "0c9ea83c-4db2-42a8-b225-d119427029d1"
TASK = "3c6024f9-ee8b-4b74-9d0d-4fa5b961108d"
MUCH = 1_000_000
EVENTS = "events.out.tfevents.0.quillflow"
FILES = {f"tensorboard/{log}/{EVENTS}": log.encode() * 50 for log in ("training", "held_out")}
DATED = r"\d{4}(-\d\d){5}_"


def make_model(uri: str, files: dict[str, bytes] | None = None) -> None:
    """A model with logs, and with more than logs."""
    with storage.outgoing(uri, "model") as directory:
        for name, data in {"model.keras": b"weights", **(FILES if files is None else files)}.items():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            (directory / name).write_bytes(data)
        write_manifest(directory, kind="model", stage="train", config={}, counts={}, made_from={})


def names(mirror: Path) -> list[str]:
    """The files in a mirror, without the times that models' folders begin with."""
    files = [path.relative_to(mirror).as_posix() for path in mirror.rglob("*") if path.is_file()]
    return sorted(re.sub(f"^{DATED}", "", name) for name in files if name != MARK)


def of(model: str) -> list[str]:
    return [f"{model}/{log}/{EVENTS}" for log in ("held_out", "training")]


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    claim(tmp_path / "mirror")
    return tmp_path / "mirror"


def test_the_logs_of_runs_and_of_stages_run_alone_are_mirrored_by_name_and_nothing_else_is(
    root: str, mirror: Path
) -> None:
    make_model(f"{root}/runs/text-generation/{RUN}/train/{TASK}/model")
    make_model(f"{root}/runs/text-generation-2026-01-02/train/model")
    make_model(f"{root}/jobs/model")
    make_model(f"{root}/jobs/without", files={})
    said = refresh([f"{root}/runs", f"{root}/jobs"], mirror, MUCH)
    assert said == "models shown: 3, 2.4 kB of logs"
    assert names(mirror) == sorted([*of(RUN), *of("text-generation-2026-01-02"), *of("jobs-model")])
    for path in mirror.rglob(EVENTS):
        assert path.read_bytes() == path.parent.name.encode() * 50
    assert all(re.match(DATED, path.name) for path in mirror.iterdir() if path.is_dir())


@pytest.mark.parametrize("kind", ["gs", "s3"])
def test_what_is_there_is_not_fetched_again_and_nothing_but_logs_is_fetched(
    root: str, mirror: Path, faults: servers.Faults
) -> None:
    make_model(f"{root}/one")
    faults.clear()
    refresh([root], mirror, MUCH)
    assert faults.count("^GET .*one/tensorboard/.*tfevents") == 2
    assert not faults.count("model.keras|manifest.json")
    make_model(f"{root}/two")
    faults.clear()
    refresh([root], mirror, MUCH)
    assert faults.count("^GET .*two/tensorboard/.*tfevents") == 2
    assert not faults.count("one/tensorboard")


def remove(uri: str) -> None:
    place = place_of(uri)
    storage.remove(uri, [listed.key.removeprefix(f"{place.key}/") for listed in place.store.list(place.key)])


def test_what_is_gone_from_the_store_vanishes(root: str, mirror: Path) -> None:
    make_model(f"{root}/one")
    make_model(f"{root}/two")
    refresh([root], mirror, MUCH)
    remove(f"{root}/one")
    refresh([root], mirror, MUCH)
    top = root.rpartition("/")[2]
    assert names(mirror) == of(f"{top}-two")
    remove(f"{root}/two")
    assert refresh([root], mirror, MUCH) == "models shown: 0, 0 B of logs"
    assert [path.name for path in mirror.iterdir()] == [MARK]


def test_a_model_that_is_not_complete_is_not_shown(root: str, mirror: Path) -> None:
    for name, data in FILES.items():
        storage.write_file(f"{root}/model/{name}", data)
    assert refresh([root], mirror, MUCH) == "models shown: 0, 0 B of logs"


def test_a_fetch_that_broke_off_is_repaired(root: str, mirror: Path) -> None:
    make_model(f"{root}/model")
    refresh([root], mirror, MUCH)
    incomplete, lost = sorted(mirror.rglob(EVENTS))
    incomplete.write_bytes(b"to")
    lost.rename(lost.with_name(".partial"))
    refresh([root], mirror, MUCH)
    assert incomplete.read_bytes() == b"held_out" * 50
    assert lost.read_bytes() == b"training" * 50
    assert not list(mirror.rglob(".partial"))


@pytest.mark.parametrize("kind", ["s3"])  # the emulator of Google's refuses such names
@pytest.mark.parametrize("name", ["../..", "..", "a/b", "line\u2028end"])
def test_a_name_that_leads_elsewhere_is_passed_over(root: str, mirror: Path, name: str) -> None:
    make_model(f"{root}/model")
    storage.write_file(f"{root}/model/tensorboard/{name}/{EVENTS}", b"elsewhere")
    refresh([root], mirror, MUCH)
    top = root.rpartition("/")[2]
    assert names(mirror) == of(f"{top}-model")
    assert not list(mirror.parent.glob("*tfevents*"))


@pytest.mark.parametrize("kind", ["gs", "s3"])
def test_a_store_that_fails_leaves_what_was_mirrored(root: str, mirror: Path, faults: servers.Faults) -> None:
    make_model(f"{root}/model")
    refresh([root], mirror, MUCH)
    before = names(mirror)
    faults.add("403", "^GET ")
    with pytest.raises(StorageError, match="403"):
        refresh([root], mirror, MUCH)
    assert names(mirror) == before


@pytest.mark.parametrize("kind", ["gs", "s3"])
def test_a_store_that_is_away_is_a_warning_a_look_until_it_is_back_and_sigterm_ends_it(
    kind: str, server_of: Callable[[str], servers.Proxy], tmp_path: Path
) -> None:
    proxy, bucket = server_of(kind), f"late-{kind}"
    command = [sys.executable, "-m", "components.tensorboard", "--root", f"{kind}://{bucket}/runs"]
    process = subprocess.Popen(
        [*command, "--logs", str(tmp_path / "logs"), "--every", "0.2"], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr
    try:
        first, second = process.stderr.readline(), process.stderr.readline()
        assert re.fullmatch(rf"tensorboard warning: {kind}://{bucket}/runs: .*404.*; trying again in 0\.2 s\n", first)
        assert second == first
        proxy.make_bucket(bucket)
        make_model(f"{kind}://{bucket}/runs/{RUN}/train/model")
        for line in process.stderr:
            if "models shown: 1" in line:
                break
        assert names(tmp_path / "logs") == of(RUN)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 143
        assert process.stderr.read() == ""
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
