"""`quillflow doctor` checks the machine's packages, GPU and free space."""

import shutil
from pathlib import Path

import pytest

from pipelines.doctor import machine
from tests.unit.pipelines.doctor.conftest import Doctor


def program(tmp_path: Path, name: str, script: str) -> None:
    path = tmp_path / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_a_missing_package_fails(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "NEEDED", ("pydantic", "no-such-package"))
    code, checks = doctor()
    assert (code, checks["packages"]["verdict"]) == (1, "fail")
    assert checks["packages"]["found"].startswith("no-such-package not installed")
    assert "make setup" in checks["packages"]["advice"]


def test_a_gpu_that_this_tensorflow_does_not_use_is_seen(
    doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "nvidia-smi", "echo 'NVIDIA L4, 23034 MiB'")
    installed = machine._version
    monkeypatch.setattr(machine, "_version", lambda name: "" if name == "tensorflow" else installed(name))
    code, checks = doctor()
    assert code == 0
    assert checks["gpu"]["found"] == "NVIDIA L4, 23034 MiB"
    assert checks["cudnn"]["verdict"] == "warn"
    assert "train-gpu" in checks["cudnn"]["advice"]
    assert doctor("--gpu")[0] == 1


def test_a_gpu_whose_driver_does_not_answer_is_none(doctor: Doctor, tmp_path: Path) -> None:
    program(tmp_path, "nvidia-smi", "echo no driver; exit 9")
    assert doctor()[1]["gpu"]["verdict"] == "warn"


def test_little_room_is_a_warning(doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    code, checks = doctor()
    assert (code, checks["disk"]["verdict"]) == (0, "warn")
    assert checks["disk"]["found"].startswith("1.0 MB free at ")
