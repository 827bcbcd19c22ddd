"""What keeps a run in containers from beginning is one line; tests/containers has what follows."""

from pathlib import Path

import pytest

from pipelines.commands.main import main
from pipelines.inputs.arguments import arguments_of
from pipelines.inputs.settings import recipe, settings_of


def test_what_the_source_and_settings_name_is_mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    containers = pytest.importorskip("pipelines.local.containers")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    named = {"source": "tale.txt", "train.init_from": "c", "train.start_from": "model"}
    named |= {"sample.prompts_file": "p.txt", "sample.corpus": "corpus"}
    for name in named.values():
        (tmp_path / name).mkdir()
    assignments = [f"{name}={tmp_path / place}" for name, place in named.items() if name != "source"]
    settings = settings_of(recipe("quick"), ["sample.no_copy=9", *assignments])
    arguments = {**arguments_of("", settings), "source": str(tmp_path / "tale.txt")}
    mounts = containers._mounts(containers._read_by_stages(arguments), tmp_path / "runs")
    assert {mount["Source"] for mount in mounts} >= {str(tmp_path / place) for place in named.values()}
    assert all(mount["ReadOnly"] for mount in mounts if mount["Source"] != str(tmp_path / "tmp"))


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
