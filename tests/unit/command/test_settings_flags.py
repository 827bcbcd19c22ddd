"""Every setting is a flag: documented in --help with its unit and default, and read as a setting."""

import argparse
import re
from typing import Any

import pytest

from components.command.settings import add_flags
from components.sample.config import SampleConfig
from components.train.config import TrainConfig
from tests.unit.command.stages import STAGES

FIELDS = [(stage, name) for stage, settings in STAGES.items() for name in settings.model_fields]


def parser_of(stage: str, **defaults: Any) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(stage)
    add_flags(parser, STAGES[stage], defaults)
    return parser


def help_of(stage: str, **defaults: Any) -> str:
    """The help in one line, so that it does not matter where its lines are broken."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "10000")
        return " ".join(parser_of(stage, **defaults).format_help().split())


@pytest.mark.parametrize(("stage", "name"), FIELDS)
def test_every_field_has_a_meaning_and_a_flag_that_shows_it(stage: str, name: str) -> None:
    field = STAGES[stage].model_fields[name]
    assert field.description
    assert isinstance(field.json_schema_extra, dict)
    unit = f" [{field.json_schema_extra['unit']}]" if field.json_schema_extra["unit"] else ""
    flag = "--" + name.replace("_", "-")
    value = rf"(, --no-{flag[2:]}| \S+| VALUE \[VALUE \.\.\.\])"
    assert re.search(f"{flag}{value} {re.escape(field.description + unit)} \\(default: [^ ]", help_of(stage))


@pytest.mark.parametrize(
    ("stage", "line"),
    [
        ("train", "--epochs N passes over the training text [epochs] (default: 5)"),
        ("train", "--learning-rate X learning rate; with a schedule, its maximum (default: 0.004)"),
        ("train", "--precision {float32,bfloat16} number format of the layers;"),
        ("train", "--sample-at VALUE [VALUE ...] also write samples after these epochs [epochs] (default: none)"),
        ("ingest", "--lowercase, --no-lowercase convert the text to lowercase (default: no)"),
        (
            "ingest",
            "--first-fraction X CSV, JSON, chats: use only this first fraction of the kept messages [fraction] (def",
        ),
        (
            "vectorize",
            "--held-out X fraction at the end of the text that is held out of training; whole documents, if the text",
        ),
    ],
)
def test_help_shows_value_unit_and_default(stage: str, line: str) -> None:
    assert line in help_of(stage)


def test_help_shows_a_recipes_defaults() -> None:
    text = help_of("sample", temperatures=[0.2, 1.5], replace_unknown=True, length=7)
    assert "(default: 0.2 1.5)" in text
    assert "not in the vocabulary by a space (default: yes)" in text
    assert "strings in stop end texts [tokens] (default: 7)" in text


@pytest.mark.parametrize("stage", STAGES)
def test_a_flag_that_is_not_used_leaves_no_trace(stage: str) -> None:
    assert vars(parser_of(stage).parse_args([])) == {}


def test_flags_become_settings() -> None:
    given = parser_of("train").parse_args(
        ["--epochs", "3", "--no-carry-state", "--sample-at", "1", "15", "--optimizer", "sgd", "--sample-length=9"]
    )
    config = TrainConfig.parse(vars(given), "train")
    assert config == TrainConfig(epochs=3, carry_state=False, sample_at=(1, 15), optimizer="sgd", sample_length=9)


def test_prompts_on_a_command_line_are_taken_whole() -> None:
    given = parser_of("sample").parse_args(["--prompts", "one, two", "[three]"])
    assert SampleConfig.parse(vars(given), "sample").prompts == ("one, two", "[three]")
