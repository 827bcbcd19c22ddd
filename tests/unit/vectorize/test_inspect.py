"""`quillflow inspect`: a dataset's figures and its first windows."""

from collections.abc import Callable
from pathlib import Path

import pytest

from components.artifacts.errors import ArtifactError
from components.artifacts.vocabulary import TokenKind
from components.artifacts.words import Cutter
from components.vectorize.config import VectorizeConfig
from components.vectorize.inspect import as_lines, first_windows
from components.vectorize.vectorizing import vectorize

MakeCorpus = Callable[..., Path]
TEXT = "One fish,\ntwo fish;\tred fish, blue fish.\n" * 4


def dataset(corpus: Path, kind: TokenKind = "characters") -> str:
    place = str(corpus.parent / "dataset")
    vectorize(VectorizeConfig(tokens=kind, length=6, step=2, held_out=0.4), corpus=str(corpus), dataset=place)
    return place


@pytest.mark.parametrize("kind", ["characters", "words"])
@pytest.mark.parametrize("split", ["train", "validation"])
def test_the_first_windows_are_the_sliding_loops(corpus: MakeCorpus, kind: TokenKind, split: str) -> None:
    place = dataset(corpus(TEXT), kind)
    tokens = list(TEXT) if kind == "characters" else Cutter().cut(TEXT)
    cut = int(len(tokens) * 0.6)
    part = tokens[:cut] if split == "train" else tokens[cut:]
    rows = [{"window": "".join(part[i : i + 6]), "target": part[i + 6]} for i in range(0, len(part) - 6, 2)]
    assert first_windows(place, split=split, count=5)["windows"] == rows[:5]
    assert first_windows(place, split=split, count=10_000)["windows"] == rows


def test_what_was_found_says_what_the_dataset_holds(corpus: MakeCorpus) -> None:
    place = dataset(corpus(TEXT))
    found = first_windows(place, split="train", count=1)
    assert found["dataset"] == place
    assert found["counts"]["tokens"] == len(TEXT)
    assert found["config"]["length"] == 6


def test_lines_for_a_person_show_white_space_escaped(corpus: MakeCorpus) -> None:
    place = dataset(corpus("a\tb\nc'd " * 40))
    lines = as_lines(first_windows(place, split="train", count=2))
    # 320 characters: 192 to train and 128 held out, in windows of 6 every 2.
    assert lines == [
        f"{place}: vocabulary of 8, 320 characters, 93 windows to train and 61 held out",
        r'"a\tb\nc' + "'" + "\" -> 'd'",
        r'"b\nc' + "'d \" -> 'a'",
    ]


def test_a_dataset_without_a_held_out_part_has_no_windows_there(corpus: MakeCorpus) -> None:
    source = corpus(TEXT)
    place = str(source.parent / "dataset")
    vectorize(VectorizeConfig(length=6, held_out=0), corpus=str(source), dataset=place)
    found = first_windows(place, split="validation", count=5)
    assert found["windows"] == []
    assert len(as_lines(found)) == 1


def test_a_damaged_dataset_is_refused(corpus: MakeCorpus) -> None:
    place = dataset(corpus(TEXT))
    shard = Path(place) / "train-00000-of-00001.tfrecord"
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(ArtifactError) as raised:
        first_windows(place, split="train", count=1)
    assert str(raised.value).startswith(f"{shard}: ")
