"""The example in `pipelines.api` does what it says."""

import textwrap
from pathlib import Path

import pytest

from pipelines import api


@pytest.mark.slow("a run of the pipeline")
def test_the_documented_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    document = api.__doc__ or ""
    example = textwrap.dedent("\n".join(line for line in document.splitlines() if line.startswith("    ")))
    assert "pipelines.run(" in example
    (tmp_path / "tale.txt").write_text("Once upon a time there was a mill, and the mill ground on. " * 300)
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "example", "exec"), {})
    loss, *texts = capsys.readouterr().out.rstrip("\n").split("\n")
    assert 0 < float(loss) < 5
    assert "".join(texts)
