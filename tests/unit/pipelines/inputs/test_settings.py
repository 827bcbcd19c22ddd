"""Settings come from a recipe, a built-in one or a file, and from assignments; wrong ones are errors that say how."""

import re
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.errors import UsageError
from components.steps import STAGES
from components.train.config import TrainConfig
from pipelines.inputs.settings import MAXIMUM_SETTINGS_BYTES, Recipe, recipe, recipe_names, settings_of


def parsed(name: str, *assignments: str) -> dict[str, Any]:
    """The settings of each stage."""
    stages: Any = settings_of(recipe(name), assignments)
    return dict(stages)


def refused(name: str, *assignments: str) -> str:
    with pytest.raises(UsageError) as raised:
        settings_of(recipe(name), assignments)
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize(
    ("name", "reported"),
    [
        ("nietzche", "no recipe 'nietzche'; did you mean nietzsche?"),
        ("sonets", "no recipe 'sonets'; did you mean sonnets?"),
        ("zzz", f"no recipe 'zzz'; known are {', '.join(recipe_names())}"),
        ("../recipes/quick", "no recipe '../recipes/quick'; "),
    ],
)
def test_an_unknown_recipe_is_reported_with_the_nearest(name: str, reported: str) -> None:
    with pytest.raises(UsageError) as raised:
        recipe(name)
    assert str(raised.value).startswith(reported)


@pytest.mark.parametrize(
    ("assignment", "reported"),
    [
        ("train.epochs", "--set train.epochs: write it as stage.setting=value, such as train.epochs=3"),
        ("epochs=3", "--set epochs=3: write it as stage.setting=value, such as train.epochs=3"),
        ("", "--set : write it as stage.setting=value, such as train.epochs=3"),
        ("trian.epochs=3", "--set trian.epochs=3: no stage 'trian'; did you mean train?"),
        ("train.epoch=3", "unknown setting train.epoch; did you mean train.epochs?"),
        ("train.epochs=0", "train.epochs: input should be greater than or equal to 1, not '0'"),
        ("train.input=onehot", "train.input: input should be 'one_hot', 'scaled' or 'embedding', not 'onehot'"),
    ],
)
def test_a_wrong_assignment_is_reported(assignment: str, reported: str) -> None:
    assert refused("quick", assignment) == reported


def test_assignments_go_before_the_recipe() -> None:
    settings = parsed("quick", "train.epochs=9", "sample.prompts=a=b, c")
    assert (settings["train"].epochs, settings["train"].units) == (9, 256)
    assert settings["sample"].prompts == ("a=b, c",)


@pytest.mark.parametrize(
    ("twice", "reported"),
    [
        (("train.epochs=7", "train.epochs=9"), "--set: train.epochs is given twice, '7' and '9'; give it once"),
        (
            ("ingest.keep_users=a", "ingest.keep_users=b"),
            "--set: ingest.keep_users is given twice, 'a' and 'b'; give it",
        ),
        (
            ("train.init_from=s3://me:secret@bucket/a", "train.init_from=s3://me:secret@bucket/b"),
            "--set: train.init_from is given twice, 's3://bucket/a' and 's3://bucket/b'; give it once",
        ),
    ],
)
def test_a_setting_is_set_once(twice: tuple[str, str], reported: str) -> None:
    assert refused("quick", "train.units=8", *twice).startswith(reported)


def test_assignments_do_not_outlive_their_run() -> None:
    chosen = recipe("quick")
    settings_of(chosen, ["train.epochs=7", "train.units=7"])
    assert (parsed("quick")["train"].train_steps, parsed("quick")["train"].units) == (500, 256)
    assert (chosen.stages["train"]["train_steps"], chosen.stages["train"]["units"]) == (500, 256)


@pytest.mark.parametrize(("set_one", "other"), list(permutations(("epochs", "train_steps", "minutes"), 2)))
def test_who_says_how_long_to_train_drops_what_the_recipe_says_in_another_way(set_one: str, other: str) -> None:
    chosen = Recipe(name="", description="", source="", stages={**{name: {} for name in STAGES}, "train": {other: 123}})
    assert getattr(settings_of(chosen, [])["train"], other) == 123
    train = settings_of(chosen, [f"train.{set_one}=45"])["train"]
    assert getattr(train, set_one) == 45
    assert getattr(train, other) == TrainConfig.model_fields[other].default


def test_settings_too_large_for_a_task_are_refused() -> None:
    assert parsed("quick", "sample.prompts=" + "x" * (MAXIMUM_SETTINGS_BYTES // 2))
    reported = refused("quick", "sample.prompts=" + "x" * MAXIMUM_SETTINGS_BYTES)
    assert reported.startswith("sample: its settings take more than 100,000 bytes")
    assert "sample.prompts_file" in reported


def test_a_recipe_of_ones_own_is_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("source: tale.txt\ntrain:\n  units: 7\n", encoding="utf-8")
    mine = recipe(str(file))
    assert (mine.name, mine.source) == ("mine", "tale.txt")
    settings: Any = settings_of(mine, ["train.layers=2"])
    assert (settings["train"].units, settings["train"].layers) == (7, 2)


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        (None, "can't be read: No such file or directory"),
        ("train: [", "not valid YAML at line 1: "),
        ("- train", "must be a mapping"),
        ("trian:\n  units: 7", "unknown 'trian'; did you mean train?"),
        ("train: 7", "train must be a mapping of its settings, not 7"),
    ],
)
def test_a_file_that_is_no_recipe_is_reported(tmp_path: Path, text: str | None, reported: str) -> None:
    file = tmp_path / "mine.yaml"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=re.escape(reported)):
        recipe(str(file))


def test_a_wrong_setting_in_a_recipe_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("train:\n  unitz: 7\n", encoding="utf-8")
    with pytest.raises(UsageError, match=re.escape("unknown setting train.unitz; did you mean train.units?")):
        settings_of(recipe(str(file)), [])
