"""A look into a dataset: its first windows as text, each with its target, as the tutorials print them."""

from typing import Any

from components.artifacts import storage
from components.artifacts.manifest import read_manifest
from components.artifacts.records import cut_windows, read_split
from components.artifacts.vocabulary import UNITS, Vocabulary


def first_windows(dataset: str, *, split: str, count: int) -> dict[str, Any]:
    """The first `count` windows of a split of the dataset at the URI `dataset`, and the dataset's figures.

    Returns:
        `dataset`, `counts`, `config`, and `windows`: a list of {"window": text, "target": text}.

    Raises:
        ArtifactError: the dataset is missing or damaged.
    """
    with storage.incoming(dataset, "dataset") as directory:
        manifest = read_manifest(directory)
        vocabulary = Vocabulary.read(directory)
        ids = read_split(directory, split, manifest, vocabulary)
    windows, targets = cut_windows(ids, manifest.config["length"], manifest.config["step"])
    shown = [
        {"window": vocabulary.decode(window, "\n"), "target": vocabulary.decode([target], "\n")}
        for window, target in zip(windows[:count], targets[:count], strict=True)
    ]
    return {"dataset": dataset, "counts": manifest.counts, "config": manifest.config, "windows": shown}


def as_lines(found: dict[str, Any]) -> list[str]:
    """The result of `first_windows` as lines for a person; white space is escaped."""
    counts = found["counts"]
    summary = (
        f"{found['dataset']}: vocabulary of {counts['vocabulary']:,}, {counts['tokens']:,} "
        f"{UNITS[found['config']['tokens']]}, {counts['train_windows']:,} windows to train and "
        f"{counts['validation_windows']:,} held out"
    )
    return [summary, *(f"{row['window']!r} -> {row['target']!r}" for row in found["windows"])]
