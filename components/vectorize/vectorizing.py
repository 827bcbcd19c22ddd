"""The work of vectorize: corpus in, dataset out, in two passes over the text and bounded memory."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from components.artifacts import manifest, storage
from components.artifacts.errors import ArtifactError
from components.artifacts.records import SPLITS, SplitWriter, window_count
from components.artifacts.vocabulary import UNKNOWN, WORD_PATTERN, TokenKind, Vocabulary, code_points
from components.command import log
from components.vectorize.config import VectorizeConfig

CHUNK_CHARACTERS = 1 << 22


def vectorize(config: VectorizeConfig, *, corpus: str, dataset: str) -> dict[str, Any]:
    """Write the corpus at the URI `corpus` as token ids, the dataset at the URI `dataset`.

    Returns:
        The dataset's URI and its counts.

    Raises:
        ArtifactError: the corpus is missing or damaged, or too short for one window in the training split.
    """
    with (
        storage.incoming(corpus, "corpus", log.transferred) as source,
        storage.outgoing(dataset, log.transferred) as directory,
    ):
        text = source / "text.txt"
        lowercase = bool(manifest.read_manifest(source).config["lowercase"])
        vocabulary, tokens = build_vocabulary(text, config, lowercase=lowercase)
        sizes = _split_sizes(tokens, config.held_out)
        _check_sizes(corpus, sizes, config)
        characters = _write_splits(directory, text, vocabulary, sizes, config)
        vocabulary.write(directory)
        counts = {"vocabulary": len(vocabulary), "tokens": tokens}
        for split, size in sizes.items():
            counts[f"{split}_tokens"] = size
            counts[f"{split}_characters"] = characters[split]
            counts[f"{split}_windows"] = window_count(size, config.length, config.step)
        manifest.write_manifest(
            directory,
            kind="dataset",
            stage="vectorize",
            config=config.model_dump(mode="json"),
            counts=counts,
            made_from={"corpus": manifest.digest(source)},
        )
    log.info(
        f"{tokens:,} {config.tokens}, vocabulary of {len(vocabulary):,}; windows of {config.length}: "
        f"{counts['train_windows']:,} to train, {counts['validation_windows']:,} held out"
    )
    return {"dataset": dataset, "counts": counts}


def build_vocabulary(text: Path, config: VectorizeConfig, *, lowercase: bool) -> tuple[Vocabulary, int]:
    """The vocabulary of a text file, in sorted order, and how many tokens the text has."""
    counts = _count_characters(text) if config.tokens == "characters" else _count_words(text)
    total = sum(counts.values())
    limit = config.vocabulary_size if config.tokens == "words" else 0
    has_unknown = 0 < limit < len(counts)
    if has_unknown:
        # Ties are broken by the token itself, so that the choice depends on the text alone.
        frequent = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[: limit - 1]
        kept = {UNKNOWN, *(token for token, _ in frequent)}
    else:
        kept = set(counts)
    return (
        Vocabulary(kind=config.tokens, tokens=tuple(sorted(kept)), lowercase=lowercase, has_unknown=has_unknown),
        total,
    )


def pieces(text: Path, kind: TokenKind) -> Iterator[str]:
    """The text in pieces that are whole tokens: tokenizing them one by one equals tokenizing it all."""
    tail = ""
    with text.open(encoding="utf-8", newline="") as file:
        while chunk := file.read(CHUNK_CHARACTERS):
            if kind == "characters":
                yield chunk
                continue
            joined = tail + chunk
            # What follows may belong to the last token, so that one waits.
            cut = len(joined) - len(WORD_PATTERN.findall(joined)[-1])
            yield joined[:cut]
            tail = joined[cut:]
    if tail:
        yield tail


def _count_characters(text: Path) -> dict[str, int]:
    counts = np.zeros(0x110000, np.int64)
    for piece in pieces(text, "characters"):
        present = np.bincount(code_points(piece))
        counts[: len(present)] += present
    return {chr(point): int(counts[point]) for point in np.flatnonzero(counts)}


def _count_words(text: Path) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for piece in pieces(text, "words"):
        counts.update(WORD_PATTERN.findall(piece))
    return counts


def _split_sizes(tokens: int, held_out: float) -> dict[str, int]:
    train = int(tokens * (1 - held_out)) if held_out else tokens
    return dict(zip(SPLITS, (train, tokens - train), strict=True))


def _check_sizes(corpus: str, sizes: dict[str, int], config: VectorizeConfig) -> None:
    needed = config.length + 1
    if sizes["train"] < needed:
        raise ArtifactError(
            f"{corpus}: {sizes['train']:,} {config.tokens} to train on, but one window and its target take "
            f"{needed:,}; give more text or a smaller vectorize.length"
        )
    if config.held_out and sizes["validation"] < needed:
        log.warning(f"only {sizes['validation']:,} {config.tokens} held out: less than one window and its target")


def _write_splits(
    directory: Path, text: Path, vocabulary: Vocabulary, sizes: dict[str, int], config: VectorizeConfig
) -> dict[str, int]:
    """Write both splits; how many characters each has."""
    characters = dict.fromkeys(SPLITS, 0)
    writers = {
        split: SplitWriter(directory, split, tokens=size, shards=config.shards, dtype=vocabulary.id_dtype)
        for split, size in sizes.items()
    }
    with writers["train"], writers["validation"]:
        for split, piece in _split_pieces(text, vocabulary.kind, sizes["train"]):
            writers[split].add(vocabulary.encode(piece))
            characters[split] += len(piece)
    return characters


def _split_pieces(text: Path, kind: TokenKind, train: int) -> Iterator[tuple[str, str]]:
    """The text in pieces of whole tokens, each with the split it belongs to; `train` tokens are the first."""
    left = train
    for piece in pieces(text, kind):
        tokens = piece if kind == "characters" else WORD_PATTERN.findall(piece)
        cut = sum(len(token) for token in tokens[:left]) if left < len(tokens) else len(piece)
        if cut:
            yield "train", piece[:cut]
        if cut < len(piece):
            yield "validation", piece[cut:]
        left = max(left - len(tokens), 0)
