"""YAML that people write, or somebody for them: what it may hold has limits, which the error names."""

import time
from pathlib import Path

import pytest

from components.artifacts.errors import UsageError
from pipelines.build.environment import environment
from pipelines.cluster import schedule_files
from pipelines.inputs.settings import recipe
from pipelines.inputs.yaml_files import load_yaml

BILLION = "a: &a [1,2,3,4,5,6,7,8,9]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGED = "a: &a {x: 1, y: 2}\n" + "".join(
    f"{new}: &{new}\n  <<: [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
BAD = [
    (BILLION, "more than 20,000 values, including those that its aliases repeat"),
    (MERGED, "more than 20,000 values, including those that its aliases repeat"),
    ("a: &a [*a]", "nested more than 50 deep, or within itself"),
    ("a: &a {b: *a}", "nested more than 50 deep, or within itself"),
    ("a: " + "[" * 60 + "]" * 60, "nested more than 50 deep"),
    ("a: " + "[" * 100_000, "nested more than 50 deep"),
    ("a: " + "9" * 5_000, "not valid YAML: "),
    ("a: 2026-99-99", "not valid YAML: "),
    ("a: " + "x" * 1_000_000, "more than 1,000,000 characters"),
    ("train: {epochs: 1}\ntrain: {epochs: 2}", "'train' is given twice, again at line 2"),
    ("train:\n  epochs: 1\n  epochs: 2", "'epochs' is given twice, again at line 3"),
    ("a: !!python/object/apply:os.getcwd []", "not valid YAML at line 1: could not determine a constructor"),
    ("{[1]: 2}", "not valid YAML at line 1: found unhashable key"),
    ("a: *nobody", "not valid YAML at line 1: found undefined alias 'nobody'"),
    ("a: \x00", "a NUL at byte 3, so this is not plain text"),
]


@pytest.mark.parametrize(("text", "message"), BAD, ids=[f"{message[:30]}-{text[:8]!r}" for text, message in BAD])
def test_what_is_beyond_a_limit_is_refused_at_once(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(text)
    began = time.process_time()
    for read in (recipe, environment, lambda _: schedule_files.read(tmp_path)):
        with pytest.raises(UsageError, match=message) as failure:
            read(str(path))
        assert str(path) in str(failure.value)
        assert "\n" not in str(failure.value)
    assert time.process_time() - began < 20  # of an alias repeated without limit, hours


def test_aliases_and_merges_are_taken_as_meant() -> None:
    text = "a: &a {x: 1, y: [2]}\nb: *a\nc:\n  <<: *a\n  x: 3\nd: [*a, *a]\n"
    one = {"x": 1, "y": [2]}
    assert load_yaml(text, "it") == {"a": one, "b": one, "c": {"x": 3, "y": [2]}, "d": [one, one]}
    assert load_yaml("", "it") is None
    assert load_yaml("a: " + "[" * 45 + "]" * 45, "it") is not None
