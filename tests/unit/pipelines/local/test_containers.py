"""What keeps a run in containers from beginning is one line; tests/containers has what follows."""

from pathlib import Path

import pytest

from pipelines.commands.main import main


def test_without_an_engine_a_run_says_so_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    with pytest.raises(SystemExit) as stopped:
        main(["run", "--runner", "docker", "--recipe", "quick", "--root", str(tmp_path / "runs")])
    assert stopped.value.code == 1
    assert capsys.readouterr().err == (
        "error: --runner docker: no Docker engine answers (No such file or directory); start one, "
        "or name it by DOCKER_HOST\n"
    )
    assert not (tmp_path / "runs").exists()
