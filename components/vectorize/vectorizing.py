"""The work of vectorize: corpus in, dataset out, in two passes over the text and bounded memory."""

from collections import Counter
from collections.abc import Iterator
from io import TextIOWrapper
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from components.artifacts import manifest, storage
from components.artifacts.errors import ArtifactError
from components.artifacts.records import SPLITS, SplitWriter, window_count
from components.artifacts.vocabulary import UNKNOWN, TokenKind, Vocabulary, code_points
from components.artifacts.words import CHUNK, LOOK_AHEAD, Cutter, unspaced
from components.command import log
from components.vectorize.config import VectorizeConfig

MUCH_UNSPACED = 0.1
CHUNK_CHARACTERS = 1 << 18  # all its copies fit into a core's cache


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
    if config.tokens == "characters":
        kept, total = _characters(text)
        has_unknown = False
    else:
        counts = _count_words(text)
        total = counts.total()
        if (share := unspaced(counts)) > MUCH_UNSPACED:
            log.warning(
                f"{share:.0%} of the text is in scripts without spaces between words, so that each of their "
                "characters or syllables is a token; vectorize.tokens=characters suits it better"
            )
        kept, has_unknown = _frequent(counts, config.vocabulary_size)
    return (
        Vocabulary(
            kind=config.tokens,
            tokens=tuple(sorted(kept)),
            lowercase=lowercase,
            has_unknown=has_unknown,
            word_rule="unicode" if config.tokens == "words" else "runs",
        ),
        total,
    )


def pieces(text: Path, kind: TokenKind) -> Iterator[str]:
    """The text in pieces of whole tokens: tokenizing them one by one equals tokenizing all of it."""
    tail, size, pace = "", log.size(text.stat().st_size), log.Pace()
    with text.open("rb") as raw, TextIOWrapper(raw, encoding="utf-8", newline="") as file:
        while chunk := file.read(CHUNK_CHARACTERS):
            pace.progress(f"{log.size(raw.tell())} of {size} read")
            if kind == "characters":
                yield chunk
                continue
            joined = tail + chunk
            cut = _safe_cut(joined)
            if cut:
                yield joined[:cut]
            tail = joined[cut:]
    if tail:
        yield tail


def _safe_cut(text: str) -> int:
    """An index at which a token begins, whatever follows; 0 if unknown yet."""
    last = max(text.rfind(" "), text.rfind("\n"))  # white space begins a token
    if last > 0:
        return last
    cut = 0
    for token in Cutter().cut(text):
        if cut + len(token) > len(text) - LOOK_AHEAD:
            break
        cut += len(token)
    return cut


def _characters(text: Path) -> tuple[set[str], int]:
    """The characters that a text is made of, and how many it has in all."""
    is_present, total = np.zeros(0x110000, bool), 0
    for piece in pieces(text, "characters"):
        if piece.isascii():
            # Removing the known characters leaves next to nothing, which is faster than marking every character.
            known = np.flatnonzero(is_present[:128]).astype(np.uint8).tobytes()
            is_present[np.frombuffer(piece.encode().translate(None, known), np.uint8)] = True
        else:
            is_present[code_points(piece)] = True
        total += len(piece)
    return set(map(chr, np.flatnonzero(is_present))), total


def _count_words(text: Path) -> Counter[str]:
    counts: Counter[str] = Counter()
    cutter = Cutter()
    for piece in pieces(text, "words"):
        chunks = Counter(CHUNK.findall(piece))
        counts.update(chain.from_iterable(map(cutter.__getitem__, chunks)))
        for chunk, count in chunks.items():
            if count > 1:
                for token in cutter[chunk]:
                    counts[token] += count - 1
    return counts


def _frequent(counts: Counter[str], limit: int) -> tuple[set[str], bool]:
    """The `limit` most frequent words, and whether one of them is the token for all others; 0 keeps all."""
    if not 0 < limit < len(counts):
        return set(counts), False
    # Ties are broken by the token itself, so that the choice depends on the text alone.
    frequent = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[: limit - 1]
    return {UNKNOWN, *(token for token, _ in frequent)}, True


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
    """Write both splits; return how many characters each has."""
    characters = dict.fromkeys(SPLITS, 0)
    writers = {
        split: SplitWriter(directory, split, tokens=size, shards=config.shards, dtype=vocabulary.id_dtype)
        for split, size in sizes.items()
    }
    left = sizes["train"]
    with writers["train"], writers["validation"]:
        for piece in pieces(text, vocabulary.kind):
            ids = vocabulary.encode_corpus(piece)
            cut = min(left, len(ids))
            left -= cut
            writers["train"].add(ids[:cut])
            writers["validation"].add(ids[cut:])
            before = len(piece) if cut == len(ids) else sum(map(len, islice(vocabulary.cut(piece), cut)))
            characters["train"] += before
            characters["validation"] += len(piece) - before
    return characters
