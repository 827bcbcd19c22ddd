"""`quillflow run --quiet`: the result, and nothing on the way."""

import pytest

from pipelines.commands.main import main
from tests.arguments import without


@pytest.mark.slow("a run of the pipeline")
def test_a_quiet_run_says_its_result_alone(tiny: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--quiet", *tiny]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Run text-generation-")
    assert err == ""


@pytest.mark.slow("a run of the pipeline")
def test_a_quiet_run_that_fails_says_why(tiny: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["run", "--quiet", *without(tiny, "vectorize.length"), "--set=vectorize.length=100000"])
    assert raised.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
