"""Shards put together are what one process writes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.artifacts.errors import ArtifactError
from components.artifacts.manifest import read_manifest, verify, write_manifest
from components.sample import texts
from components.sample.config import SampleConfig
from components.sample.gathering import gather
from components.sample.texts import write_texts

Shard = Callable[..., str]


@pytest.fixture
def shard(tmp_path: Path) -> Shard:
    """Writes a shard of `texts` texts in all; its path."""

    def write(number: int, of: int, *, total: int = 7, model: str = "m" * 64, **settings: Any) -> str:
        config = SampleConfig(shard=number, shards=of, **settings)
        directory = tmp_path / f"{number}-of-{of}-{model[0]}"
        directory.mkdir()
        ids = range(total * number // of, total * (number + 1) // of)
        write_texts(directory, iter([(row(identity), None) for identity in ids]), len(ids), 1)
        counts = {"texts": len(ids), "tokens": len(ids) * config.length}
        values = config.model_dump(mode="json")
        write_manifest(
            directory, kind="samples", stage="sample", config=values, counts=counts, made_from={"model": model}
        )
        return str(directory)

    return write


def row(identity: int) -> dict[str, Any]:
    return {
        "id": identity,
        "prompt": "é\u2028",
        "temperature": 0.5,
        "strategy": "temperature",
        "seed": 1,
        "text": f"text {identity}\n\r\x85",
        "nats_per_token": 1.5e-07,
    }


def written(directory: str | Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(Path(directory).glob("*.jsonl"))}


@pytest.mark.parametrize("shards", [2, 3, 9])
def test_gathered_shards_are_the_files_of_one_process_in_whatever_order_they_come(
    shards: int, shard: Shard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "TEXTS_A_FILE", 3)
    whole = shard(0, 1)
    gather([shard(number, shards) for number in reversed(range(shards))], samples=str(tmp_path / "samples"))
    assert written(tmp_path / "samples") == written(whole)
    assert len(written(whole)) == 3
    manifest, of_one = verify(tmp_path / "samples", "samples"), read_manifest(Path(whole))
    assert (manifest.config, manifest.counts, manifest.made_from) == (of_one.config, of_one.counts, of_one.made_from)
    assert manifest.producer == of_one.producer
    report = (tmp_path / "samples" / "report.html").read_text(encoding="utf-8")
    assert f"seed 1; gathered from {shards} shards" in report
    assert "7 of 7 texts" in report


def test_a_shard_that_is_missing_is_named(shard: Shard, tmp_path: Path) -> None:
    with pytest.raises(
        ArtifactError, match=r"shards are \[0, 1, 2\], but \[0, 2\] were given; sample all shards again"
    ):
        gather([shard(0, 3), shard(2, 3)], samples=str(tmp_path / "samples"))
    assert not (tmp_path / "samples").exists()


def test_a_shard_that_comes_twice_is_refused(shard: Shard, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"but \[0, 0, 1\] were given"):
        gather([(first := shard(0, 2)), first, shard(1, 2)], samples=str(tmp_path / "samples"))


@pytest.mark.parametrize("change", [{"model": "n" * 64}, {"seed": 2}], ids=str)
def test_shards_of_two_kinds_are_not_mixed(change: dict[str, Any], shard: Shard, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="shards 0 and 1 were made from another model or with other settings"):
        gather([shard(0, 2), shard(1, 2, **change)], samples=str(tmp_path / "samples"))


def test_a_damaged_shard_is_named(shard: Shard, tmp_path: Path) -> None:
    damaged = shard(1, 2)
    next(Path(damaged).glob("*.jsonl")).write_text("{}\n")
    with pytest.raises(ArtifactError, match="1-of-2"):
        gather([shard(0, 2), damaged], samples=str(tmp_path / "samples"))
