"""A user without a name and home, as OpenShift gives containers."""

import json
import os
import pwd
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from pipelines.commands.main import main
from pipelines.doctor.machine import disk
from pipelines.local.home import cache_directory, home
from pipelines.local.running import _engine_root


@pytest.fixture
def nameless(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No HOME, and no entry in the list of users."""

    def unknown(number: int) -> NoReturn:
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in ("HOME", "XDG_CACHE_HOME", "CLOUDSDK_CONFIG", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("nameless")
@pytest.mark.parametrize("flags", [[], ["--root", "runs"]])
def test_doctor_looks_without_a_home(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor", "--json", *flags])
    names = {check["name"] for check in json.loads(capsys.readouterr().out)["checks"]}
    assert {"gs credentials", "s3 credentials", "disk"} <= names


@pytest.mark.usefixtures("nameless")
def test_a_buckets_run_keeps_its_cache_where_the_user_may_write() -> None:
    assert home().name == f"quillflow-home-{os.getuid()}"
    assert disk("s3://bucket/runs").verdict in {"ok", "warn"}
    assert _engine_root("s3://bucket/runs").is_relative_to(home() / ".cache" / "quillflow")


def test_a_home_that_can_t_be_written_to_keeps_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", "/")
    monkeypatch.setattr(os, "access", lambda path, _: str(path) != "/")
    assert not cache_directory().is_relative_to("/.cache")


@pytest.mark.usefixtures("nameless")
def test_a_home_directory_that_nobody_knows_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["ingest", "--source", "~/tale.txt", "--corpus", "corpus"])
    assert "~/tale.txt: the home directory of ~ is unknown here" in capsys.readouterr().err


def test_ingest_draws_without_a_word_of_matplotlibs_cache(tmp_path: Path) -> None:
    (tmp_path / "chat.csv").write_text("user,text\nada,hello\nbob,hello there\n")
    taken = tmp_path / "taken"
    taken.write_text("no directory")
    command = [
        sys.executable,
        "-m",
        "components.ingest",
        "--source",
        "chat.csv",
        "--corpus",
        "corpus",
        "--user-column",
        "user",
    ]
    variables = {**os.environ, "HOME": str(taken), "XDG_CACHE_HOME": str(taken), "XDG_CONFIG_HOME": str(taken)}
    variables["PYTHONPATH"] = str(Path.cwd())
    variables.pop("MPLCONFIGDIR", None)
    done = subprocess.run(
        command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stderr
    assert "atplotlib" not in done.stderr
    assert "<svg" in (tmp_path / "corpus" / "report.html").read_text()
