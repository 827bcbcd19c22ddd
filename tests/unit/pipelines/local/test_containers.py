"""What keeps a run in containers from beginning is one line; tests/containers has what follows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.artifacts import champion
from pipelines.commands.main import main
from pipelines.inputs.arguments import arguments_of
from pipelines.inputs.settings import recipe, settings_of


@pytest.fixture
def mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Any]]:
    """The mounts for a source with settings."""
    containers = pytest.importorskip("pipelines.local.containers")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))

    def mounts(assignments: list[str], source: Path = tmp_path / "tale.txt") -> list[Any]:
        arguments = {**arguments_of("", settings_of(recipe("quick"), assignments)), "source": str(source)}
        found: list[Any] = containers._mounts(containers._read_by_stages(arguments), tmp_path / "runs")
        return found

    return mounts


def test_what_the_source_and_settings_name_is_mounted(tmp_path: Path, mounted: Callable[..., list[Any]]) -> None:
    named = {"source": "tale.txt", "train.init_from": "c", "train.start_from": "model"}
    named |= {"sample.prompts_file": "p.txt", "sample.corpus": "corpus"}
    for name in named.values():
        (tmp_path / name).mkdir()
    assignments = [f"{name}={tmp_path / place}" for name, place in named.items() if name != "source"]
    mounts = mounted(["sample.no_copy=9", *assignments])
    assert {mount["Source"] for mount in mounts} >= {str(tmp_path / place) for place in named.values()}
    assert all(mount["ReadOnly"] for mount in mounts if mount["Source"] != str(tmp_path / "tmp"))


def test_the_model_that_a_champion_points_at_is_mounted(tmp_path: Path, mounted: Callable[..., list[Any]]) -> None:
    model = tmp_path / "elsewhere" / "model"
    model.mkdir(parents=True)
    pointer = champion.Champion(
        model=str(model), digest="a", loss=1.5, protocol="carry", held_out="b", run="", promoted="2026-11-29"
    )
    (tmp_path / "champion").write_text(pointer.model_dump_json())
    sources = {mount["Source"] for mount in mounted([f"train.start_from={tmp_path / 'champion'}"])}
    assert sources >= {str(model), str(tmp_path / "champion")}


def test_without_an_engine_a_run_says_so_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    with pytest.raises(SystemExit) as stopped:
        main(["run", "--runner", "docker", "--recipe", "quick", "--root", str(tmp_path / "runs")])
    assert stopped.value.code == 1
    assert capsys.readouterr().err == (
        "error: --runner docker: no Docker engine responds (No such file or directory); start one, or set DOCKER_HOST\n"
    )
    assert not (tmp_path / "runs").exists()
