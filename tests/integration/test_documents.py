"""A folder of poems in, whole poems out: each begins as poems do and ends where one ends."""

import random
from pathlib import Path

import pytest

import pipelines
from pipelines.commands.main import main
from tests.unit.sample.sampled import rows_of

pytestmark = pytest.mark.slow("trains until poems are known by heart")

POEMS = [
    "The mill\n  ground on,\n\nand on.",
    "Night:\nthe mill is dark.",
    "A mouse\nin the dark\nground corn.",
    "Rain\n\non the mill.",
    "Corn is gold,\nthe miller old.",
]
SMALL = [
    "units=64",
    "ngrams=4",
    "ngram_buckets=4093",
    "batch=8",
    "learning_rate=0.02",
    "train_steps=150",
    "export=last",
]


def test_a_folder_of_poems_gives_whole_poems(tmp_path: Path) -> None:
    folder, root = tmp_path / "poems", tmp_path / "runs"
    folder.mkdir()
    order = random.Random(1)
    for number in range(60):
        (folder / f"{number:02}.txt").write_text(order.choice(POEMS) + "\n")
    settings = ["ingest.documents=files", "vectorize.length=16", "vectorize.held_out=0.2", "train.sample_times=0"]
    settings += ["sample.temperatures=0.5", "sample.count=12", "sample.length=60", *(f"train.{one}" for one in SMALL)]
    arguments = [argument for setting in settings for argument in ("--set", setting)]
    assert main(["run", "--source", str(folder), "--root", str(root), "--quiet", *arguments]) == 0
    rows = rows_of(next(root.glob("*/sample/samples")))
    assert len(rows) == 12
    assert sum(row["ended"] == "end" for row in rows) >= 10
    assert sum(row["text"] in POEMS for row in rows) >= 8
    assert len({row["text"] for row in rows}) > 1
    for poem in POEMS:
        assert pipelines.complete(poem[:5], root=str(root), length=60, temperature=0) == [poem[5:]]
    with pytest.raises(SystemExit) as raised:
        main(["run", "--source", str(folder), "--root", str(root), "--set", "ingest.documents=rows"])
    assert raised.value.code == 2
