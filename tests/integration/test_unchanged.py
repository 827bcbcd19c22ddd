"""A cluster's pipeline in Kubeflow's local engine: a text that the champion was made from ends the run after ingest."""

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from pipelines.build.environment import Environment
from pipelines.inputs.arguments import arguments_of
from pipelines.inputs.settings import recipe, settings_of
from pipelines.local.engine import Processes
from pipelines.text_generation import build
from tests.unit.ingest.champions import keep_champion

TEXT = "".join(f"The {n} brown foxes jump over {n * 7 % 11} lazy dogs; they never tire. " for n in range(120))


@pytest.mark.parametrize("on_unchanged", ["skip", "train"])
def test_only_a_run_that_is_asked_to_ends_after_ingest(tmp_path: Path, on_unchanged: str) -> None:
    settings = settings_of(recipe("quick"), ["vectorize.length=100000"])  # so that vectorize is the last to begin
    made = {"vectorize": "dataset", "train": "model", "sample": "samples"}
    values = {kind: settings[stage].model_dump(mode="json") for stage, kind in made.items()}
    pointer = keep_champion(tmp_path / "runs", TEXT, settings=values)
    environment = Environment.model_validate({"cluster": {"champion": str(pointer)}})
    arguments = arguments_of(str(tmp_path / "runs" / "text.txt"), settings)
    with redirect_stdout(io.StringIO()) as out:
        if on_unchanged == "skip":
            Processes().start(build(environment), {**arguments, "on_unchanged": "skip"}, tmp_path / "runs")
        else:
            with pytest.raises(RuntimeError):
                Processes().start(build(environment), arguments, tmp_path / "runs")
    began = re.findall(r"Executing task .*'([a-z]+)", out.getvalue())
    assert began == ["ingest", "unchanged", *(["vectorize"] if on_unchanged == "train" else [])]
