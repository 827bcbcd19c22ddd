"""What a run's tasks are given: the same whichever directory they run in, here or on a cluster."""

from pathlib import Path

import pytest

from pipelines.arguments import plain
from pipelines.settings import recipe, settings_of


def test_every_setting_that_names_a_place_is_seen_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    named = ("train.init_from", "sample.prompts_file", "sample.corpus")
    settings = settings_of(recipe("quick"), [f"{name}=made/{name}" for name in named])
    for name in named:
        stage, setting = name.split(".")
        assert plain(settings[stage])[setting] == f"{tmp_path}/made/{name}"
    bucket = settings_of(recipe("quick"), ["sample.corpus=s3://bucket/corpus"])
    assert plain(bucket["sample"])["corpus"] == "s3://bucket/corpus"
