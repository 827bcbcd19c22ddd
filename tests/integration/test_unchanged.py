"""A cluster's pipeline in Kubeflow's local engine: an unchanged text ends the run early; its end is posted."""

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from components.notify.notifying import WEBHOOK_VARIABLE
from pipelines.build.environment import Environment
from pipelines.inputs.arguments import arguments_of
from pipelines.inputs.settings import recipe, settings_of
from pipelines.local.engine import Processes
from pipelines.text_generation import build
from tests.shorter import mostly_slow
from tests.unit.ingest.champions import keep_champion
from tests.unit.notify.webhooks import listening

TEXT = "".join(f"The {n} brown foxes jump over {n * 7 % 11} lazy dogs; they never tire. " for n in range(120))


@pytest.mark.parametrize("on_unchanged", mostly_slow(["skip", "train"]))
def test_only_a_run_that_is_asked_to_ends_after_ingest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_unchanged: str
) -> None:
    settings = settings_of(recipe("quick"), ["vectorize.length=100000"])  # so that vectorize is the last to begin
    made = {"vectorize": "dataset", "train": "model", "sample": "samples"}
    values = {kind: settings[stage].model_dump(mode="json") for stage, kind in made.items()}
    pointer = keep_champion(tmp_path / "runs", TEXT, settings=values)
    watched = {"champion": str(pointer), "notify": {"secret": "urls"}}
    environment = Environment.model_validate({"cluster": watched})
    arguments = arguments_of(str(tmp_path / "runs" / "text.txt"), settings)
    with redirect_stdout(io.StringIO()) as out, listening() as webhook:
        monkeypatch.setenv(WEBHOOK_VARIABLE, webhook.url())
        if on_unchanged == "skip":
            Processes().start(build(environment), {**arguments, "on_unchanged": "skip"}, tmp_path / "runs")
        else:
            with pytest.raises(RuntimeError):
                Processes().start(build(environment), arguments, tmp_path / "runs")
    began = re.findall(r"Executing task .*'([a-z]+)", out.getvalue())
    assert began == ["ingest", "unchanged", *(["vectorize"] if on_unchanged == "train" else []), "notify"]
    (message,) = webhook.messages
    assert message["state"] == ("failed" if on_unchanged == "train" else "succeeded")
