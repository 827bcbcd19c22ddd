"""`quillflow doctor`: what is available, what is not, and what to do about it."""

import re

import pytest

from pipelines.commands.main import main
from tests.unit.pipelines.doctor.conftest import Doctor


def test_a_bare_machine_is_warned_of_what_it_lacks_but_nothing_fails(doctor: Doctor) -> None:
    code, checks = doctor()
    assert code == 0
    assert {name: check["verdict"] for name, check in checks.items() if name not in {"cores", "disk"}} == {
        "python": "ok",
        "packages": "ok",
        "gpu": "warn",
        "container engine": "warn",
        "gs credentials": "warn",
        "s3 credentials": "warn",
    }
    assert all(check["advice"] for check in checks.values() if check["verdict"] != "ok")
    assert re.search(r"tensorflow(-cpu)? 2\.", checks["packages"]["found"])
    assert "kfp 2.17" in checks["packages"]["found"]


def test_lines_for_a_person_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--docker"]) == 1
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert any(line.startswith("ok    python             3.") for line in lines)
    place = next(
        number for number, line in enumerate(lines) if line.startswith("fail  container engine   none responds")
    )
    assert lines[place + 1].strip().startswith("start Docker")
    assert "\x1b" not in out


@pytest.mark.parametrize(("flag", "name"), [("--docker", "container engine"), ("--gpu", "gpu")])
def test_what_was_asked_for_and_is_not_there_fails(doctor: Doctor, flag: str, name: str) -> None:
    code, checks = doctor(flag)
    assert (code, checks[name]["verdict"]) == (1, "fail")
    assert checks[name]["advice"]
