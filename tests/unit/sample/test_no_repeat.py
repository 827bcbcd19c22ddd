"""`sample.no_repeat`: no text goes in circles, in any batch or shard."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.errors import UsageError
from components.sample.config import SampleConfig
from pipelines.inputs.settings import recipe, settings_of
from tests.unit.sample.sampled import bytes_of

Write = Callable[..., bytes]
NO_REPEAT = 9


@pytest.fixture
def write(model: Path, tmp_path: Path) -> Write:
    """Writes samples with the changed settings, and returns their files' bytes."""

    def run(**changes: Any) -> bytes:
        settings = {"prompts": ("a", "fed & "), "count": 4, "length": 60, "temperatures": (0, 0.3), **changes}
        return bytes_of(model, tmp_path / "samples", **settings)

    return run


def repeats(written: bytes) -> int:
    """How many runs are in their text, or its prompt, before."""
    texts = [row["prompt"] + row["text"] for row in map(json.loads, written.splitlines())]
    runs = [[text[at : at + NO_REPEAT] for at in range(len(text) - NO_REPEAT + 1)] for text in texts]
    return sum(len(of) - len(set(of)) for of in runs)


def test_no_run_is_written_twice(write: Write) -> None:
    assert repeats(write()) > 20
    assert repeats(write(no_repeat=NO_REPEAT)) == 0


def test_the_bytes_depend_neither_on_the_batch_nor_on_shards(write: Write) -> None:
    whole = write(no_repeat=NO_REPEAT, batch=512)
    assert [write(no_repeat=NO_REPEAT, batch=batch) == whole for batch in (1, 5)] == [True, True]
    assert b"".join(write(no_repeat=NO_REPEAT, shard=shard, shards=3, batch=2) for shard in range(3)) == whole


def test_off_is_0_and_what_repeats_nothing_is_the_same_without(write: Write) -> None:
    assert SampleConfig().no_repeat == 0
    with_it, without = (
        [json.loads(line)["text"] for line in write(**way).splitlines()] for way in ({"no_repeat": 500}, {})
    )
    assert with_it == without


@pytest.mark.parametrize(
    ("value", "message"),
    [("-1", r"greater than or equal to 0, not '-1'$"), ("all", r"valid integer.*, not 'all'$"), ("1.5", "integer")],
)
def test_a_bad_value_is_one_line(value: str, message: str) -> None:
    with pytest.raises(UsageError, match=rf"^sample\.no_repeat: .*{message}"):
        SampleConfig.parse({"no_repeat": value}, "sample")


def test_a_text_that_can_not_be_continued_is_one_line(write: Write, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^sample\.no_repeat: after '.*' every token would complete a run of 1 char"):
        write(no_repeat=1)
    assert not (tmp_path / "samples").exists()


@pytest.mark.parametrize("name", ["quick", "default", "best"])
def test_the_recipes_for_texts_of_ones_own_have_it(name: str) -> None:
    settings: Any = settings_of(recipe(name), [])
    assert settings["sample"].no_repeat == 100
