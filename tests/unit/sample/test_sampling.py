"""Samples: a text for each prompt and temperature, the same bytes from the same settings."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.errors import ArtifactError, UsageError
from components.artifacts.manifest import digest, verify
from components.artifacts.vocabulary import UNKNOWN, Vocabulary
from components.command import log
from components.sample.config import SampleConfig
from components.sample.gathering import gather
from components.sample.sampling import sample
from tests.shorter import mostly_slow
from tests.unit.sample.sampled import Write, rows_of


def test_there_is_a_text_for_each_prompt_repeat_and_temperature(given: tuple[Path, dict[str, Any]]) -> None:
    rows = rows_of(given[0])
    assert [row["id"] for row in rows] == list(range(18))
    assert [row["prompt"] for row in rows] == ["<b>"] * 9 + ["fed & "] * 9
    assert [row["temperature"] for row in rows] == [0, 0.5, 1] * 6


def test_a_row_shows_what_the_text_depended_on(given: tuple[Path, dict[str, Any]]) -> None:
    rows = rows_of(given[0])
    fields = ["id", "prompt", "temperature", "strategy", "seed", "text", "nats_per_token"]
    assert {tuple(row) for row in rows} == {tuple(fields)}
    assert {(row["temperature"], row["strategy"]) for row in rows} == {
        (0, "greedy"),
        (0.5, "top_k=9+top_p=0.95"),
        (1, "top_k=9+top_p=0.95"),
    }
    assert {row["seed"] for row in rows} == {7}
    assert {len(row["text"]) for row in rows} == {15}
    assert all(row["nats_per_token"] > 0 for row in rows)


def test_the_manifest_names_model_counts_and_settings(given: tuple[Path, dict[str, Any]], model: Path) -> None:
    manifest = verify(given[0], "samples")
    assert manifest.made_from == {"model": digest(model)}
    assert manifest.counts == {"texts": 18, "tokens": 18 * 15}
    assert manifest.config["prompts"] == ["<b>", "fed & "]
    assert set(manifest.files) == {"samples-00000-of-00001.jsonl", "report.html"}


def test_the_result_shows_the_first_texts(given: tuple[Path, dict[str, Any]]) -> None:
    samples, result = given
    rows = rows_of(samples)
    nats = {
        name: pytest.approx(sum(row["nats_per_token"] for row in rows if row["temperature"] == value) / 6)
        for name, value in {"0": 0, "0.5": 0.5, "1": 1}.items()
    }
    counts = {"texts": 18, "tokens": 270}
    assert result == {"samples": str(samples), "counts": counts, "nats_per_token": nats, "first": rows[:3]}


@pytest.mark.parametrize("context", mostly_slow(["carry", "window"]))
def test_the_bytes_depend_neither_on_the_batch_nor_on_shards(
    write_compiled: Write, tmp_path: Path, context: str
) -> None:
    def written(**more: int) -> bytes:
        write_compiled(
            prompts=("a", "fed & ", "<hi>\n"), count=4, length=40, temperatures=(0, 0.7, 1.3), context=context, **more
        )
        return b"".join(path.read_bytes() for path in sorted((tmp_path / "samples").glob("*.jsonl")))

    whole = written(batch=512)
    assert [written(batch=batch) == whole for batch in (1, 7)] == [True, True]
    shards = [written(shard=shard, shards=4, batch=5) for shard in range(4)]
    assert b"".join(shards) == whole
    assert [shard.count(b"\n") for shard in shards] == [9, 9, 9, 9]


def test_a_shard_says_which_it_is_and_counts_its_own_texts(write: Write, tmp_path: Path) -> None:
    rows = write(prompts=("a",), count=5, temperatures=(1,), shard=1, shards=2)
    assert [row["id"] for row in rows] == [2, 3, 4]
    assert verify(tmp_path / "samples", "samples").counts == {"texts": 3, "tokens": 36}
    page = (tmp_path / "samples" / "report.html").read_text(encoding="utf-8")
    assert "shard 1 of 2" in page
    assert "3 of 3 texts" in page


def test_gathered_shards_are_what_one_process_writes(model: Path, tmp_path: Path) -> None:
    config = SampleConfig(count=5, length=12, temperatures=(0, 0.7))
    sample(config, model=str(model), samples=str(tmp_path / "whole"))
    shards = [str(tmp_path / str(number)) for number in range(3)]
    for number, path in enumerate(shards):
        sample(config.model_copy(update={"shard": number, "shards": 3}), model=str(model), samples=path)
    gather(shards, samples=str(tmp_path / "gathered"))
    assert rows_of(tmp_path / "gathered") == rows_of(tmp_path / "whole")
    assert verify(tmp_path / "gathered").config == verify(tmp_path / "whole").config


def test_a_shard_may_have_nothing_to_write(write: Write, tmp_path: Path) -> None:
    assert write(prompts=("a",), count=1, temperatures=(1,), shard=0, shards=3) == []
    assert verify(tmp_path / "samples", "samples").counts == {"texts": 0, "tokens": 0}


def test_a_shard_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="shard 4 is not one of 4, which are counted from 0"):
        SampleConfig.parse({"shard": 4, "shards": 4}, "sample")


def test_the_same_settings_give_the_same_files(write: Write, tmp_path: Path) -> None:
    digests = []
    for _ in range(2):
        write(prompts=("a",), temperatures=(1,))
        digests.append(digest(tmp_path / "samples"))
    assert digests[0] == digests[1]


def test_randomness_follows_the_seed_and_greedy_needs_none(write: Write) -> None:
    first, second = (write(prompts=("abc",), count=2, temperatures=(0, 1), seed=seed) for seed in (1, 2))
    greedy = {row["text"] for row in [*first, *second] if row["temperature"] == 0}
    assert len(greedy) == 1
    assert len({row["text"] for row in [*first, *second]}) == 5


def test_the_models_context_is_followed_unless_another_is_asked_for(
    write: Write, model_of: Callable[..., Path]
) -> None:
    changes = {"prompts": ("fed & abc",), "count": 1, "temperatures": (0.8,), "length": 60}
    window = model_of(context="window", window=3)
    by_default, asked = write(source=window, **changes), write(source=window, context="carry", **changes)
    assert write(source=window, context="window", **changes) == by_default
    assert asked == write(context="carry", **changes) == write(**changes)
    assert asked != by_default


def test_the_token_for_unknown_words_is_read_but_never_written(
    write: Write, model_of: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    tokens = tuple(sorted([UNKNOWN, "a", " a", " b", "c", "."]))
    words = Vocabulary(kind="words", tokens=tokens, lowercase=True, has_unknown=True)
    log.set_up("sample")
    source = model_of(vocabulary=words, prompts=["a b."])
    rows = write(source=source, prompts=("A zebra b.",), count=8, temperatures=(0, 1, 3), length=50)
    assert {row["prompt"] for row in rows} == {"A zebra b."}
    reported = (
        "1 of 1 prompts have tokens that the model does not know (' zebra'); "
        "it reads '\N{REPLACEMENT CHARACTER}' instead"
    )
    assert f"warning: {reported}" in capsys.readouterr().err
    written = "".join(row["text"] for row in rows)
    assert UNKNOWN not in written
    assert set(written) == set("abc .")


@pytest.mark.parametrize("name", ["model.keras", "config.json", "vocabulary.json", "prompts.json"])
def test_a_damaged_model_is_refused_by_file(write: Write, model: Path, tmp_path: Path, name: str) -> None:
    damaged = Path(shutil.copytree(model, tmp_path / "model"))
    data = bytearray((damaged / name).read_bytes())
    data[len(data) // 2] ^= 1
    (damaged / name).write_bytes(data)
    with pytest.raises(ArtifactError, match=rf"{name}: its SHA-256 is not the manifest's"):
        write(source=damaged)
    assert not (tmp_path / "samples").exists()


def test_another_kind_of_artifact_is_refused(given: tuple[Path, dict[str, Any]], write: Write) -> None:
    with pytest.raises(ArtifactError, match="this is a samples artifact, where a model is needed"):
        write(source=given[0])
