"""The work of vectorize: corpus in, dataset out, in two passes over the text and bounded memory."""

from itertools import islice
from pathlib import Path
from typing import Any

from components.artifacts import manifest, storage
from components.artifacts.documents import DOCUMENTS_NAME, TEXT_NAME
from components.artifacts.errors import ArtifactError
from components.artifacts.records import SPLITS, SplitWriter, window_count
from components.artifacts.vocabulary import UNITS, Vocabulary
from components.command import log
from components.vectorize.building import build_vocabulary
from components.vectorize.config import VectorizeConfig
from components.vectorize.division import division_of
from components.vectorize.pieces import pieces


def vectorize(config: VectorizeConfig, *, corpus: str, dataset: str) -> dict[str, Any]:
    """Write the corpus at the URI `corpus` as token ids, the dataset at the URI `dataset`.

    Returns:
        The dataset's URI and its counts.

    Raises:
        ArtifactError: the corpus is missing or damaged, or too short for one window in the training split.
        UsageError: one of the two places is inside the other.
    """
    storage.check_outputs({"--dataset": dataset}, {"--corpus": corpus})
    with (
        storage.outgoing(dataset, "dataset", log.transferred) as directory,
        storage.incoming(corpus, "corpus", log.transferred) as source,
    ):
        text = source / TEXT_NAME
        corpus_manifest = manifest.read_manifest(source)
        has_documents = DOCUMENTS_NAME in corpus_manifest.files
        division = division_of(source, config.held_out, corpus) if has_documents else None
        cut = division.train_characters if division else _cut(text, config)
        lowercase = bool(corpus_manifest.config["lowercase"])
        vocabulary, tokens, before = build_vocabulary(text, config, lowercase=lowercase, cut=cut)
        sizes = _sizes(before if cut else _before_held_out(tokens, config.held_out), tokens)
        _check_sizes(corpus, sizes, config)
        characters = _write_splits(directory, text, vocabulary, sizes, config, cut)
        vocabulary.write(directory)
        counts = {"vocabulary": len(vocabulary), "tokens": tokens}
        for split, size in sizes.items():
            counts[f"{split}_tokens"] = size
            counts[f"{split}_characters"] = characters[split]
            counts[f"{split}_windows"] = window_count(size, config.length, config.step)
        if division:
            counts |= {"train_documents": division.train, "validation_documents": division.validation}
        manifest.write_manifest(
            directory,
            kind="dataset",
            stage="vectorize",
            config=config.model_dump(mode="json"),
            counts=counts,
            made_from={"corpus": manifest.digest(source)},
        )
    documents = f"; documents: {division.train:,} to train, {division.validation:,} held out" if division else ""
    log.info(
        f"{tokens:,} {vocabulary.unit}, vocabulary of {len(vocabulary):,}; windows of {config.length}: "
        f"{counts['train_windows']:,} to train, {counts['validation_windows']:,} held out{documents}"
    )
    return {"dataset": dataset, "counts": counts}


def _cut(text: Path, config: VectorizeConfig) -> int:
    """After how many characters the held-out text of subwords or bytes begins: the same text as with characters.

    0 for others, of which a fraction of the tokens is held out.
    """
    if config.tokens in {"characters", "words"}:
        return 0
    return _before_held_out(sum(map(len, pieces(text, "characters"))), config.held_out)


def _before_held_out(total: int, held_out: float) -> int:
    """How many of all come before the fraction that is held out."""
    return int(total * (1 - held_out)) if held_out else total


def _sizes(train: int, tokens: int) -> dict[str, int]:
    return dict(zip(SPLITS, (train, tokens - train), strict=True))


def _check_sizes(corpus: str, sizes: dict[str, int], config: VectorizeConfig) -> None:
    needed = config.length + 1
    if sizes["train"] < needed:
        raise ArtifactError(
            f"{corpus}: {sizes['train']:,} {UNITS[config.tokens]} to train on, but one window and its target take "
            f"{needed:,}; give more text or a smaller vectorize.length"
        )
    if config.held_out and sizes["validation"] < needed:
        log.warning(
            f"only {sizes['validation']:,} {UNITS[config.tokens]} held out: less than one window and its target"
        )


def _write_splits(
    directory: Path, text: Path, vocabulary: Vocabulary, sizes: dict[str, int], config: VectorizeConfig, cut: int
) -> dict[str, int]:
    """Write both splits, of which one begins after `cut` characters; return how many characters each has."""
    characters = dict.fromkeys(SPLITS, 0)
    writers = {
        split: SplitWriter(directory, split, tokens=size, shards=config.shards, dtype=vocabulary.id_dtype)
        for split, size in sizes.items()
    }
    left = sizes["train"]
    with writers["train"], writers["validation"]:
        for piece in pieces(text, vocabulary.kind, cut):
            ids = vocabulary.encode_corpus(piece)
            first = min(left, len(ids))
            left -= first
            writers["train"].add(ids[:first])
            writers["validation"].add(ids[first:])
            before = len(piece) if first == len(ids) else sum(map(len, islice(vocabulary.cut(piece), first)))
            characters["train"] += before
            characters["validation"] += len(piece) - before
    return characters
